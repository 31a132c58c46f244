import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseSource, readSources, type Source, unexplained } from '#test/support/sources.ts'

const src = readSources('src/**/*.ts')
const others = readSources('*.ts', 'dev/**/*.ts', 'test/**/*.ts')
const isRuntime = (path: string) => path.startsWith('src/runtime/')
/** A folder beside `runtime`, or a file in one. */
const isFeature = (path: string) => /^src\/[^/]+\//.test(path) && !isRuntime(path)
const isLocal = (path: string) => /^(dev|test)\//.test(path)

/** Each import that a rule forbids, as `from → to`. */
function forbidden(sources: readonly Source[], rule: (from: string, to: string) => boolean): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((to) => rule(path, to)).map((to) => `${path} → ${to}`),
  )
}

/** The files whose code has something like this. */
function having(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.filter(({ code }) => pattern.test(code)).map(({ path }) => path)
}

const environment = /\bprocess\b\s*(\?\.|\.|\[\s*['"])\s*env\b|\bimport\.meta\.env\b|from '(node:)?process'/

describe('who imports whom', () => {
  test('the runtime imports no feature, and nothing above it', () => {
    const above = (to: string) => to.startsWith('src/') && !isRuntime(to)
    expect(forbidden(src, (from, to) => isRuntime(from) && above(to))).toEqual([])
  })

  test('a feature imports from the runtime and from features, not from what puts them together', () => {
    const above = (to: string) => to.startsWith('src/') && !isRuntime(to) && !isFeature(to)
    expect(forbidden(src, (from, to) => isFeature(from) && above(to))).toEqual([])
  })

  test('only app.ts knows the features', () => {
    const outside = [...src, ...others].filter(({ path }) => !isFeature(path) && !isLocal(path))
    expect(forbidden(outside, (from, to) => isFeature(to) && from !== 'src/app.ts')).toEqual([])
  })

  test('nothing outside dev/ and test/ imports from them', () => {
    const outside = [...src, ...others].filter(({ path }) => !isLocal(path))
    expect(outside.map(({ path }) => path)).toContain('build.ts')
    expect(forbidden(outside, (_from, to) => isLocal(to))).toEqual([])
  })

  test('dev/ imports nothing of the tests', () => {
    expect(forbidden(others, (from, to) => from.startsWith('dev/') && to.startsWith('test/'))).toEqual([])
  })

  test('every import of a file of ours leads to one', () => {
    const ours = (to: string) => /^(src|dev|test)\//.test(to) || to.endsWith('.json')
    expect(forbidden([...src, ...others], (_from, to) => ours(to) && !existsSync(to))).toEqual([])
  })
})

describe('what src/ does without', () => {
  test('only main.ts and migrate.ts read the environment', () => {
    expect(having(src, environment)).toEqual(['src/main.ts', 'src/migrate.ts'])
  })

  test('nothing ticks, and no timer hides from the event loop', () => {
    expect(having(src, /\bsetInterval\b|\bunref\b|AbortSignal\.timeout\b/)).toEqual([])
  })

  test('nothing writes to the console', () => {
    expect(having(src, /\bconsole\.(log|info|debug|error|warn)\(/)).toEqual([])
  })
})

describe('how it reads', () => {
  test('no file of src/ is longer than 250 lines', () => {
    const long = src.filter(({ text }) => text.split('\n').length - 1 > 250)
    expect(long.map(({ path }) => path)).toEqual([])
  })

  test('every exported function and class of src/ is explained', () => {
    expect(src.flatMap((source) => unexplained(source).map((name) => `${source.path}: ${name}`))).toEqual([])
  })
})

describe('these rules see what they look for', () => {
  const sample = parseSource(
    'src/runtime/log/sample.ts',
    [
      "import { notes } from '../../notes/notes.ts'",
      "import type { Config } from '../config/config.ts'",
      "export { start } from '#dev/postgres.ts'",
      "const late = () => import('../../app.ts') // import('../../comment.ts')",
      "/* import '#test/support/client.ts' */ import 'hono'",
      'export function bare() {}',
      '/** Explained. */',
      'export async function explained() { return process.env.PORT }',
      '// a remark is no explanation',
      'export class Bare {}',
      'export const arrow = (text: string) => setInterval(() => text)',
      'export const table = { of: 1 }',
    ].join('\n'),
  )

  test('every kind of import, from where it is to where it leads', () => {
    expect(sample.imports).toEqual([
      ...['src/notes/notes.ts', 'src/runtime/config/config.ts', 'dev/postgres.ts', 'src/app.ts', 'hono'],
    ])
    expect(sample.imports.map(isFeature)).toEqual([true, false, false, false, false])
    expect(sample.imports.map(isRuntime)).toEqual([false, true, false, false, false])
    expect(sample.imports.map(isLocal)).toEqual([false, false, true, false, false])
    expect(forbidden([sample], (_from, to) => isFeature(to))).toEqual([
      'src/runtime/log/sample.ts → src/notes/notes.ts',
    ])
  })

  test('functions and classes that nothing explains', () => {
    expect(unexplained(sample)).toEqual(['bare', 'Bare', 'arrow'])
  })

  test('code, and not comments', () => {
    expect(having([sample], environment)).toEqual([sample.path])
    expect(having([parseSource('a.ts', '/** What `process.env` holds */')], environment)).toEqual([])
    expect(sample.code).not.toContain('comment.ts')
  })

  test('the files', () => {
    expect(src.length).toBeGreaterThan(40)
    expect(src.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['src/app.ts', 'src/runtime/within.ts']),
    )
  })
})
