import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder, writeFiles } from '#test/kit'

/** Merges package.json as git has it done. Returns the result, and the keys that conflict. */
async function merge(base: object, ours: object, theirs: object) {
  const folder = await temporaryFolder()
  const versions = { base, ours, theirs }
  await writeFiles(
    folder,
    Object.fromEntries(Object.entries(versions).map(([name, value]) => [name, JSON.stringify(value)])),
  )
  const paths = ['base', 'ours', 'theirs', 'report'].map((name) => join(folder, name))
  const { status } = spawnSync(process.execPath, ['dev/upgrade/merge-package.ts', ...paths])
  const [, merged = '', , report = ''] = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
  expect(status).toBe(report === '' ? 0 : 1)
  return { merged, report }
}

test('what both add stands side by side, and what one side takes out goes', async () => {
  const { merged, report } = await merge(
    { scripts: { a: '1', gone: '1' }, dependencies: { b: '1', d: '1' } },
    { scripts: { a: '1', gone: '1', mine: '1' }, dependencies: { b: '1', c: '1' }, unbundled: ['c'] },
    { scripts: { a: '2' }, dependencies: { b: '1', bb: '1', d: '2' }, type: 'module' },
  )
  const keys = JSON.stringify(JSON.parse(merged))
  expect(keys).toBe(
    '{"scripts":{"a":"2","mine":"1"},"dependencies":{"b":"1","bb":"1","c":"1"},"type":"module","unbundled":["c"]}',
  )
  expect(report).toBe('')
})

test('of two newer versions of a package it takes the newer one', async () => {
  const { merged, report } = await merge(
    { a: '^1.2.9', b: '1.0.0', c: '~1.0.0' },
    { a: '^1.2.10', b: '1.1.0', c: '~1.9.0' },
    { a: '^1.3.0', b: '1.0.10', c: '~1.10.0' },
  )
  expect([JSON.parse(merged), report]).toEqual([{ a: '^1.3.0', b: '1.1.0', c: '~1.10.0' }, ''])
})

test('a key that both changed in two ways is a conflict; the file stays readable, with the fork’s value', async () => {
  const { merged, report } = await merge(
    { scripts: { check: 'tsc' }, a: '^1.0.0', list: [1] },
    { scripts: { check: 'tsc && mine' }, a: '~1.1.0', list: [1, 2] },
    { scripts: { check: 'tsc && knip' }, a: '^1.1.0', list: [1, 3] },
  )
  expect(JSON.parse(merged)).toEqual({ scripts: { check: 'tsc && mine' }, a: '~1.1.0', list: [1, 2] })
  expect(report).toBe(
    'scripts.check: "tsc && mine" here, "tsc && knip" in the template\n' +
      'a: "~1.1.0" here, "^1.1.0" in the template\nlist: [1,2] here, [1,3] in the template\n',
  )
})
