import { describe, expect, test } from 'vitest'
import { expectRule } from '#test/support/rule.ts'
import { parseSource, readSources, type Source } from '#test/support/sources.ts'

/** The floors of `src/runtime`, from the ground up: each imports only from itself and from those before it. */
const floors = [
  'kernel',
  'config',
  'log',
  'google',
  'database',
  'auth',
  'http',
  'schemas',
  'routes',
  'openapi',
  'tasks',
  'feature.ts',
  'index.ts',
]

/** The floor of a file of `src/runtime`; -1 for a file of none, `undefined` for all other files. */
function floorOf(path: string): number | undefined {
  const [, floor] = /^src\/runtime\/([^/]+)/.exec(path) ?? []
  return floor === undefined ? undefined : floors.indexOf(floor)
}

/** Each import that leads to a higher floor, as `from → to`. */
function upward(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((to) => (floorOf(to) ?? 0) > (floorOf(path) ?? 0)).map((to) => `${path} → ${to}`),
  )
}

/** Each circle of files that import each other, as `a → b → a`. */
function circles(sources: readonly Source[]): string[] {
  const importsOf = new Map(sources.map(({ path, imports }) => [path, imports]))
  const finished = new Set<string>()
  const found: string[] = []

  function visit(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path)
    if (start >= 0) found.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || finished.has(path)) return
    for (const to of importsOf.get(path) ?? []) visit(to, [...trail, path])
    finished.add(path)
  }
  for (const { path } of sources) visit(path, [])
  return found
}

const runtime = readSources('src/runtime/**/*.ts')

describe('the order of imports', () => {
  test('each file of the runtime stands on a floor', () => {
    expect(runtime.length).toBeGreaterThan(100)
    expectRule(
      'Each file of src/runtime/ stands in one of its floors.',
      runtime.map(({ path }) => path).filter((path) => floorOf(path) === -1),
      'move it into a folder that is there, or name its folder in `floors` of this test.',
    )
  })

  test('a floor of the runtime imports only from itself and from those below it, types included', () => {
    expectRule(
      `The folders of src/runtime/ import downwards only: ${floors.join(' ← ')}.`,
      upward(runtime),
      'move what both need to the lower folder, or hand it in as an argument.',
    )
  })

  test('no files import each other in a circle', () => {
    expectRule(
      'No files of src/ import each other in a circle.',
      circles(readSources('src/**/*.ts')),
      'move what both need to a file of its own.',
    )
  })
})

describe('these rules see what they look for', () => {
  const low = parseSource('src/runtime/kernel/low.ts', "import type { Task } from '../tasks/task.ts'")
  const high = parseSource('src/runtime/tasks/task.ts', "import { low } from '../kernel/low.ts'")

  test('an import that leads up, of a type too', () => {
    expect(upward([low, high])).toEqual(['src/runtime/kernel/low.ts → src/runtime/tasks/task.ts'])
  })

  test('a circle', () => {
    expect(circles([low, high])).toEqual([
      'src/runtime/kernel/low.ts → src/runtime/tasks/task.ts → src/runtime/kernel/low.ts',
    ])
    expect(circles([high])).toEqual([])
  })
})
