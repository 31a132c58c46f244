import { existsSync, globSync, rmSync } from 'node:fs'
import { type Change, editFiles } from './edit-files.ts'

// What `npm run eject` does to the files of the template. It imports no package: `npm run upgrade` runs it where none is
// installed.

/** An example feature of the template: what goes with it. */
interface Example {
  readonly folders: readonly string[]
  /** By file. */
  readonly changes: Readonly<Record<string, readonly Change[]>>
}

/** The example features, by their names. */
const examples: Readonly<Record<string, Example>> = {
  orders: {
    folders: ['src/orders', 'dev/orders', 'test/orders', 'test/acceptance/orders', 'bench', 'test/bench'],
    changes: {
      'src/app.ts': [
        ...unlisted('orders'),
        [/^(const contract = \{\n {2}title: )'Orders'/m, "$1'My service'"],
      ],
      '.env.example': [[/^# ── The example feature ─+\n[\s\S]*?(?=^# ── )/m, '']],
      '.ci/run': [
        [/^rows=\(test\/orders /m, 'rows=('],
        [/\|warehouse(?=\))/, ''],
      ],
      // the benchmark measures the example
      'package.json': [[/,\n {4}"bench": "[^"]*"/, '']],
      'tsconfig.json': [[/ "bench\/[^\]]*(?="\*\.ts")/, ' ']],
      'knip.json': [[/,\n {4}"bench": \{[\s\S]*?\n {4}\}/, '']],
      'README.md': [
        [/^<picture>.*bench\/.*\n/m, ''],
        [/^## The first five minutes\n[\s\S]*?(?=^## )/m, ''],
        [/^\d+\. \[Delete the example\].*\n/m, ''],
        [/^\| \[src\/orders\/\].*\n/m, ''],
      ],
    },
  },
}

/** What tests the template itself, and its pages, which speak of all examples. */
const ofTemplate = ['test/fork', 'test/docs']

/** The names of the example features. */
export const exampleNames: readonly string[] = Object.keys(examples)

/**
 * Takes examples out of the files: their folders, what tests them, their lines in shared files, and links to them. Does
 * nothing for a part that is gone already.
 *
 * @param names of examples
 * @returns the folders that are gone, and the files that are different now
 */
export function ejectFiles(names: readonly string[]): { gone: string[]; changed: string[] } {
  const taken = names.flatMap((name) => examples[name] ?? [])
  const gone = [...taken.flatMap(({ folders }) => folders), ...ofTemplate].filter((path) => existsSync(path))
  for (const folder of gone) rmSync(folder, { recursive: true })
  const changed = taken.flatMap(({ changes }) => editFiles(changes))
  const pages = globSync(['*.md', 'docs/**/*.md']).sort()
  const unlinked = editFiles(Object.fromEntries(pages.map((path) => [path, names.map(unlink)])))
  return { gone, changed: [...new Set([...changed, ...unlinked])] }
}

/** Takes a feature out of the list in src/app.ts. */
function unlisted(name: string): Change[] {
  return [
    [new RegExp(`^import \\{ ${name} \\} from '\\./${name}/${name}\\.ts'\\n`, 'm'), ''],
    [
      /^(export const features: readonly Feature\[\] = \[)([^\]]*)\]/m,
      (_all, start = '', names = '') => `${start}${without(names, name)}]`,
    ],
  ]
}

function without(names: string, name: string): string {
  return names
    .split(',')
    .map((other) => other.trim())
    .filter((other) => other !== '' && other !== name)
    .join(', ')
}

/** A page that links to a file of an example names it instead. */
function unlink(name: string): Change {
  const file = `(?:\\.\\./)*((?:src|dev|test|test/acceptance)/${name}(?:/[^)#]*)?)(?:#[^)]*)?`
  return [new RegExp(`\\[[^\\]]*\\]\\(${file}\\)`, 'g'), '`$1` of the template']
}
