import { describe, expect, test } from 'vitest'
import { expectRule } from '#test/support/rule.ts'
import { parseSource, readSources, type Source } from '#test/support/sources.ts'

const src = readSources('src/**/*.ts')
const others = readSources('*.ts', 'dev/**/*.ts', 'test/**/*.ts')
const isRuntime = (path: string) => path.startsWith('src/runtime/')
/** A folder beside `runtime`, or a file in one. */
const isFeature = (path: string) => /^src\/[^/]+\//.test(path) && !isRuntime(path)
/** The tests of a feature, and of the features that the runtime is tried with. */
const isFeatureTest = ({ path }: Source) =>
  /^test\/(lab|docs\/fixtures)\//.test(path) ||
  src.some((source) => isFeature(source.path) && path.startsWith(testsOf(source)))
const testsOf = ({ path }: Source) => path.replace(/^src\/([^/]+\/).*/, 'test/$1')
const usesTheDoor = (source: Source) =>
  (source.path.startsWith('src/') && !isRuntime(source.path)) ||
  source.path.startsWith('dev/') ||
  isFeatureTest(source)
const isLocal = (path: string) => /^(dev|test)\//.test(path)

/** Each import that a rule forbids, as `from → to`. */
function forbidden(sources: readonly Source[], rule: (from: string, to: string) => boolean): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((to) => rule(path, to)).map((to) => `${path} → ${to}`),
  )
}

/** The lines whose code has something like this, as `file:line`. */
function having(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, code }) =>
    code.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  )
}

const environment = /\bprocess\b\s*(\?\.|\.|\[\s*['"])\s*env\b|\bimport\.meta\.env\b|from '(node:)?process'/
const timers = /\bsetInterval\b|\bunref\b|AbortSignal\.timeout\b/
const output = /\bconsole\.(log|info|debug|error|warn)\(/
const entries = ['src/main.ts', 'src/migrate.ts']

describe('who imports whom', () => {
  test('the runtime imports no feature, and nothing above it', () => {
    const above = (to: string) => to.startsWith('src/') && !isRuntime(to)
    expectRule(
      'src/runtime/ imports nothing of src/ but itself.',
      forbidden(src, (from, to) => isRuntime(from) && above(to)),
      'hand the value to the runtime in src/app.ts.',
    )
  })

  test('all that is not the runtime, and its tests, imports it by its one door', () => {
    const outside = [...src, ...others].filter(usesTheDoor)
    expect(outside.map(({ path }) => path)).toEqual(expect.arrayContaining(['src/app.ts', 'dev/token.ts']))
    expectRule(
      'src/app.ts, src/main.ts, src/migrate.ts, features, their tests and dev/ import the runtime by its one door.',
      forbidden(outside, (_from, to) => isRuntime(to) && to !== 'src/runtime/index.ts'),
      "import from '#runtime'; what is not there is the runtime's own.",
    )
  })

  test('there is one z', () => {
    const outside = [...src, ...others].filter(
      (source) => usesTheDoor(source) && !source.path.startsWith('dev/'),
    )
    expectRule(
      'Features and their tests take `z` from the runtime: that of zod has no `.openapi()`.',
      forbidden(outside, (_from, to) => to === 'zod' || to === '@hono/zod-openapi'),
      "import { z } from '#runtime'.",
    )
  })

  test('the tests of features import the test kit by its one door', () => {
    expectRule(
      'Tests of features import the test kit by its one door.',
      forbidden(others.filter(isFeatureTest), (_from, to) => to.startsWith('test/support/')),
      "import from '#test/kit'; what is not there is for the runtime's own tests.",
    )
  })

  test('a feature imports from the runtime and from features, not from what puts them together', () => {
    const above = (to: string) => to.startsWith('src/') && !isRuntime(to) && !isFeature(to)
    expectRule(
      'A feature imports from the runtime and from features, not from the files that put them together.',
      forbidden(src, (from, to) => isFeature(from) && above(to)),
      'take `config`, `database` and `signToken` from what `routes` is given; move what features share to a folder of src/.',
    )
  })

  test('only app.ts knows the features', () => {
    const outside = [...src, ...others].filter(({ path }) => !isFeature(path) && !isLocal(path))
    expectRule(
      'Of the files outside features, only src/app.ts imports one.',
      forbidden(outside, (from, to) => isFeature(to) && from !== 'src/app.ts'),
      'list the feature in `features` of src/app.ts, and use it there only.',
    )
  })

  test('nothing outside dev/ and test/ imports from them', () => {
    const outside = [...src, ...others].filter(({ path }) => !isLocal(path))
    expect(outside.map(({ path }) => path)).toContain('build.ts')
    expectRule(
      'Nothing outside dev/ and test/ imports from them: they are not in the image.',
      forbidden(outside, (_from, to) => isLocal(to)),
      'move what the service needs to src/.',
    )
  })

  test('dev/ imports nothing of the tests, but for the template of a test', () => {
    const isDev = (path: string) => path.startsWith('dev/') && !path.startsWith('dev/new/template/test/')
    expectRule(
      'dev/ imports nothing of test/.',
      forbidden(others, (from, to) => isDev(from) && to.startsWith('test/')),
      'move what both need to dev/.',
    )
  })
})

describe('what src/ does without', () => {
  test('only main.ts and migrate.ts read the environment', () => {
    const readers = having(src, environment)
    expect(readers.join()).toContain('src/main.ts')
    expectRule(
      'Only src/main.ts and src/migrate.ts read the environment.',
      readers.filter((place) => !entries.includes(place.replace(/:\d+$/, ''))),
      "declare the variable in its feature's or task's `variables`, and read it from `config`.",
    )
  })

  test('nothing ticks, and no timer hides from the event loop', () => {
    expectRule(
      'src/ has no setInterval, no unref and no AbortSignal.timeout: they outlive the request, and the CPU is off then.',
      having(src, timers),
      'use a schedule (`defineSchedule`) for what comes again, and `c.var.signal`, or the `signal` of a task, for what must end.',
    )
  })

  test('nothing writes to the console', () => {
    expectRule(
      'src/ does not write to the console: such a line has no trace and no severity.',
      having(src, output),
      'use `c.var.log` in a handler, and `log` in a task.',
    )
  })
})

describe('these rules see what they look for', () => {
  const sample = parseSource(
    'src/runtime/log/sample.ts',
    [
      "import { notes } from '../../notes/notes.ts'",
      "import type { Config } from '../config/config.ts'",
      "export { start } from '#dev/postgres/start.ts'",
      "const late = () => import('../../app.ts') // import('../../comment.ts')",
      "/* import '#test/support/client.ts'",
      "   of two lines */ import 'hono'",
      'export async function port() { return process.env.PORT }',
      "import { z } from '#runtime'; export const arrow = (text: string) => setInterval(() => text)",
    ].join('\n'),
  )

  test('every kind of import, from where it is to where it leads', () => {
    expect(sample.imports).toEqual([
      ...[
        'src/notes/notes.ts',
        'src/runtime/config/config.ts',
        'dev/postgres/start.ts',
        'src/app.ts',
        'hono',
        'src/runtime/index.ts',
      ],
    ])
    expect(sample.imports.map(isFeature)).toEqual([true, false, false, false, false, false])
    expect(sample.imports.map(isRuntime)).toEqual([false, true, false, false, false, true])
    expect(sample.imports.map(isLocal)).toEqual([false, false, true, false, false, false])
    expect(forbidden([sample], (_from, to) => isFeature(to))).toEqual([
      'src/runtime/log/sample.ts → src/notes/notes.ts',
    ])
  })

  test('code, and not comments, by its line', () => {
    expect(having([sample], environment)).toEqual(['src/runtime/log/sample.ts:7'])
    expect(having([sample], timers)).toEqual(['src/runtime/log/sample.ts:8'])
    expect(having([parseSource('a.ts', '/** What `process.env` holds */')], environment)).toEqual([])
    expect(having([parseSource('a.ts', '// never setInterval\r\n/* nor\r\nunref */\r\n')], timers)).toEqual(
      [],
    )
    expect(sample.code).not.toContain('comment.ts')
  })

  test('the files', () => {
    expect(src.length).toBeGreaterThan(40)
    expect(src.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['src/app.ts', 'src/runtime/kernel/wait-at-most.ts']),
    )
  })

  test('and say what they are, where they are broken, and how to mend it', () => {
    expect(() => expectRule('Notes are short.', ['src/a.ts:1', 'src/b.ts:2'], 'write less.')).toThrow(
      /^Notes are short\.\n {2}src\/a\.ts:1\n {2}src\/b\.ts:2\nMend: write less\.$/,
    )
  })
})
