import { existsSync, globSync, rmSync } from 'node:fs'
import { type Change, editFiles } from './edit-files.ts'

// What `npm run eject` does to the files of the template. It imports no package: `npm run upgrade` runs it where none is
// installed.

/** An example feature of the template: what goes with it. */
interface Example {
  /** Its folders, and its files elsewhere. */
  readonly paths: readonly string[]
  readonly tables: readonly string[]
  /** By file. */
  readonly changes: Readonly<Record<string, readonly Change[]>>
}

/** The example features, by their names. */
const examples: Readonly<Record<string, Example>> = {
  orders: {
    paths: [
      ...['src/orders', 'dev/orders', 'test/orders', 'test/acceptance/orders'],
      ...['test/pages/docs-orders.test.ts', 'bench', 'test/bench'],
    ],
    tables: ['orders', 'order_imports', 'order_import_lines'],
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
      'package.json': [
        [/,\n {4}"bench": "[^"]*"/, ''],
        [/^ {4}"csv-parse": .*\n/m, ''],
      ],
      'package-lock.json': [[/^ {8}"csv-parse": .*\n/m, ''], unlocked('csv-parse')],
      'tsconfig.json': [[/ "bench\/[^\]]*(?="\*\.ts")/, ' ']],
      'knip.json': [
        [/,\n {4}"bench": \{[\s\S]*?\n {4}\}/, ''],
        [/"taskset", /, ''],
      ],
      'README.md': [
        [/^<picture>.*bench\/.*\n\n/m, ''],
        [/^## The first five minutes\n[\s\S]*?(?=^## )/m, ''],
        [/^\| \[src\/orders\/\].*\n/m, ''],
      ],
    },
  },
  webhooks: {
    paths: [
      ...['src/webhooks', 'dev/webhooks', 'test/webhooks', 'test/acceptance/webhooks'],
      ...['src/orders/events.ts', 'test/orders/events.test.ts'],
    ],
    tables: ['webhooks', 'webhook_secrets', 'webhook_deliveries'],
    changes: {
      'src/app.ts': unlisted('webhooks'),
      'src/orders/store.ts': [
        [/^import \{ announce \} from '\.\/events\.ts'\n/m, ''],
        [/(const update = [\s\S]*?)\n {4}\.returning\(\),/, '$1,'],
        [/const \[row\] = (await update\(.*\)\n) {2}await announce\(tx, status, row\)\n/, '$1'],
        [/^ {2}await announce\(.*\)\n/gm, ''],
      ],
      '.env.example': [[/^# ── Webhooks ─+\n[\s\S]*?(?=^# ── )/m, '']],
      '.ci/run': [
        [/^(rows=\(.*)test\/webhooks /m, '$1'],
        [/\|send\|sign(?=\|)/, ''],
        [/\|target(?=\|)/, ''],
      ],
      'package.json': [
        [/^ {4}"receiver": .*\n/m, ''],
        [/^ {4}"standardwebhooks": .*\n/m, ''],
      ],
      'package-lock.json': [
        [/^ {8}"standardwebhooks": .*\n/m, ''],
        ...['standardwebhooks', '@stablelib/base64', 'fast-sha256'].map(unlocked),
      ],
      'README.md': [[/^\| \[src\/webhooks\/\].*\n/m, '']],
    },
  },
}

/** What tests the template itself, and its pages, which speak of all examples. */
const ofTemplate = ['test/fork', 'test/docs']

/** What speaks of all examples, and goes with the last one. */
const ofLast: Readonly<Record<string, readonly Change[]>> = {
  'README.md': [[/^\d+\. \[Delete the examples\].*\n/m, '']],
}

/** The names of the example features. */
export const exampleNames: readonly string[] = Object.keys(examples)

/** The tables of these examples. */
export function tablesOf(names: readonly string[]): string[] {
  return names.flatMap((name) => examples[name]?.tables ?? [])
}

/**
 * Takes examples out of the files: their folders, what tests them, their lines in shared files, and links to them. Does
 * nothing for a part that is gone already.
 *
 * @param names of examples
 * @returns the folders and files that are gone, and the files that are different now
 */
export function ejectFiles(names: readonly string[]): { gone: string[]; changed: string[] } {
  const taken = names.flatMap((name) => examples[name] ?? [])
  const gone = [...taken.flatMap(({ paths }) => paths), ...ofTemplate].filter((path) => existsSync(path))
  for (const path of gone) rmSync(path, { recursive: true, force: true })
  const isLast = Object.values(examples).every(({ paths: [folder = ''] }) => !existsSync(folder))
  const changed = [...taken.map(({ changes }) => changes), ...(isLast ? [ofLast] : [])].flatMap(editFiles)
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

/** Takes a package out of the lock file. */
function unlocked(name: string): Change {
  return [new RegExp(`^ {4}"node_modules/${name}": \\{\\n[\\s\\S]*?^ {4}\\},?\\n`, 'm'), '']
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
