import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readSources } from '#test/support/sources.ts'
import metadata from '../../package.json' with { type: 'json' }

const door = 'src/runtime/index.ts'
const sources = new Map(readSources('dev/**/*.ts', 'src/**/*.ts').map((source) => [source.path, source]))

/** What a file imports, and what that imports. */
function reachable(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const next of sources.get(path)?.imports ?? []) reachable(next, found)
  return found
}

/** They import the runtime in code that they write, and do not load it. */
const writers = ['client', 'new']

test('the scripts that load the runtime are those that preload it', () => {
  const scripts = Object.entries(metadata.scripts).flatMap(([name, line]) => {
    const file = /^node .*\b(dev\/[\w-]+\.ts)/.exec(line)?.[1]
    return file && !writers.includes(name) ? [{ name, line, loads: reachable(file).has(door) }] : []
  })
  const preloaded = scripts.filter(({ line }) => line.includes('--require ./dev/quick-imports.cjs '))
  const names = (some: typeof scripts) => some.map(({ name }) => name)
  expect(names(preloaded)).toEqual(names(scripts.filter(({ loads }) => loads)))
  expect(names(preloaded)).toContain('token')
})

test('Drizzle says of its modules what is taken for granted: they are ES modules', () => {
  const drizzle = JSON.parse(readFileSync('node_modules/drizzle-orm/package.json', 'utf8')) as object
  expect(drizzle).toMatchObject({ type: 'module' })
})
