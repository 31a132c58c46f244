import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { generateClient, ownSender } from '#dev/client/generate.ts'
import { createApp } from '#src/app.ts'
import { expectJson } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { expectRule } from '#test/support/rule.ts'
import { testService } from '#test/support/service.ts'

type Document = Record<string, unknown>

/** Where two documents differ: `/paths/~1orders/post`, no deeper than an operation or a schema. */
function differences(one: unknown, other: unknown, place = '', depth = 3): string[] {
  if (isDeepStrictEqual(one, other)) return []
  if (depth === 0 || !isObject(one) || !isObject(other)) return [place || '/']
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return names.flatMap((name) => differences(one[name], other[name], `${place}/${name}`, depth - 1))
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Where a committed file is not what the service says. */
async function stale(file: string, shown: object): Promise<string[]> {
  const committed: unknown = JSON.parse(await readFile(file, 'utf8'))
  return differences(committed, JSON.parse(JSON.stringify(shown))).map((place) => `${file}: ${place}`)
}

const { config, database, log, api } = await testService({ databaseUrl: noDatabase })

test.each([
  ['openapi/openapi.json', async () => expectJson(await api('/openapi.json'))],
  ['openapi/internal.json', () => createApp({ config, database, log }).internalContract()],
])('%s is up to date', async (file, shown) => {
  expectRule(
    `${file} is what the routes state.`,
    await stale(file, await shown()),
    'run `npm run openapi`, look at what changed, and commit it.',
  )
})

test('openapi/client.ts is up to date', async () => {
  const contract = JSON.parse(await readFile('openapi/openapi.json', 'utf8'))
  const client = await generateClient(contract, await ownSender(), 'npm run openapi')
  const lines = (await readFile('openapi/client.ts', 'utf8')).split('\n')
  const first = client.split('\n').findIndex((line, index) => line !== lines[index])
  expectRule(
    'openapi/client.ts is the client of openapi/openapi.json.',
    first < 0 && client.length === lines.join('\n').length ? [] : [`openapi/client.ts:${first + 1}`],
    'run `npm run openapi`, and commit it.',
  )
})

test('this rule sees what it looks for', () => {
  const one = { info: { title: 'A' }, paths: { '/a': { get: { summary: 'A' }, post: {} } } }
  const other = { info: { title: 'A' }, paths: { '/a': { get: { summary: 'B' } }, '/b': {} } }
  expect(differences(one, other)).toEqual(['/paths//a/get', '/paths//a/post', '/paths//b'])
  expect(differences(one, structuredClone(one))).toEqual([])
})
