import { describe, expect, test } from 'vitest'
import { expectRule } from '#test/support/rule.ts'
import { parseSource, readSources, type Source } from '#test/support/sources.ts'

/** The floors of a folder, from the ground up: each imports only from itself and from those before it. */
interface House {
  readonly root: string
  /** Folders and files by name. `*.ts` are all other files, `*` all other folders. */
  readonly floors: readonly string[]
}

const runtime: House = {
  root: 'src/runtime',
  floors: [
    'kernel',
    'config',
    'log',
    'google',
    'traces',
    'database',
    'auth',
    'http',
    'schemas',
    'routes',
    'pages',
    'openapi',
    'docs',
    'tasks',
    'feature.ts',
    'index.ts',
  ],
}
const houses: readonly House[] = [
  runtime,
  {
    root: 'dev', // `*` are the stand-ins of features
    floors: [
      'machine',
      'client',
      'new',
      'fork',
      'upgrade',
      'postgres',
      'cloud-tasks',
      'guard',
      'service',
      'caller',
      'local',
      '*',
      'rehearsal',
      'local-services.ts',
      '*.ts',
    ],
  },
  { root: 'dev/rehearsal', floors: ['shell', 'project', 'docker', 'google', 'build', '*.ts'] },
]

/** The floor of a file in a house; -1 for a file on none, `undefined` for a file outside. */
function floorOf({ root, floors }: House, path: string): number | undefined {
  if (!path.startsWith(`${root}/`)) return undefined
  const [name = '', below] = path.slice(root.length + 1).split('/')
  const floor = floors.indexOf(name)
  return floor >= 0 ? floor : floors.indexOf(below === undefined ? '*.ts' : '*')
}

/** Each import that leads to a higher floor, as `from → to`. */
function upward(house: House, sources: readonly Source[]): string[] {
  const isUpward = (from: string, to: string) =>
    (floorOf(house, to) ?? -1) > (floorOf(house, from) ?? Infinity)
  return sources.flatMap(({ path, imports }) =>
    imports.filter((to) => isUpward(path, to)).map((to) => `${path} → ${to}`),
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

describe.each(houses)('the floors of $root/', (house) => {
  const { root, floors } = house
  const sources = readSources(`${root}/**/*.ts`)

  test('each file stands on one', () => {
    expect(sources.length).toBeGreaterThan(15)
    expectRule(
      `Each file of ${root}/ stands on one of its floors.`,
      sources.map(({ path }) => path).filter((path) => floorOf(house, path) === -1),
      'move it into a folder that is there, or name its folder in `houses` of this test.',
    )
  })

  test('each imports only from itself and from those below it, types included', () => {
    expectRule(
      `The folders of ${root}/ import downwards only: ${floors.join(' ← ')}.`,
      upward(house, sources),
      'move what both need to the lower folder, or hand it in as an argument.',
    )
  })
})

test('no files import each other in a circle', () => {
  expectRule(
    'No files of src/ and dev/ import each other in a circle.',
    circles(readSources('src/**/*.ts', 'dev/**/*.ts')),
    'move what both need to a file of its own.',
  )
})

describe('these rules see what they look for', () => {
  const low = parseSource('src/runtime/kernel/low.ts', "import type { Task } from '../tasks/task.ts'")
  const high = parseSource('src/runtime/tasks/task.ts', "import { low } from '../kernel/low.ts'")

  test('an import that leads up, of a type too', () => {
    expect(upward(runtime, [low, high])).toEqual(['src/runtime/kernel/low.ts → src/runtime/tasks/task.ts'])
  })

  test('a folder of a feature, and a file at the top', () => {
    const dev: House = { root: 'dev', floors: ['machine', '*', '*.ts'] }
    const stand = parseSource('dev/orders/stand-in.ts', "import { main } from '../main.ts'")
    expect(['dev/orders/a.ts', 'dev/main.ts', 'src/main.ts'].map((path) => floorOf(dev, path))).toEqual([
      1,
      2,
      undefined,
    ])
    expect(upward(dev, [stand])).toEqual(['dev/orders/stand-in.ts → dev/main.ts'])
    expect(floorOf(runtime, 'src/runtime/attic/a.ts')).toBe(-1)
  })

  test('a circle', () => {
    expect(circles([low, high])).toEqual([
      'src/runtime/kernel/low.ts → src/runtime/tasks/task.ts → src/runtime/kernel/low.ts',
    ])
    expect(circles([high])).toEqual([])
  })
})
