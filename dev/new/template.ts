import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Forms, formsOf, type Names } from './names.ts'

// The templates are a feature like any other, below template/: they are compiled, linted, and tried by
// test/dev/new.test.ts. Their names are replaced.

const folder = fileURLToPath(new URL('template', import.meta.url))
const many = formsOf('template-items')
const one = formsOf('template-item')

/** The files of a feature, below template/. */
export const featureFiles = [
  ...['table', 'problems', 'schemas', 'routes', 'store', 'tasks', 'template-items'].map(
    (name) => `src/template-items/${name}.ts`,
  ),
  ...['template-items', 'tasks'].map((name) => `test/template-items/${name}.test.ts`),
]

/** The files of a task, and those of a schedule and its task. */
export const workFiles = {
  task: ['src/template-items/template-task.ts', 'test/template-items/template-task.test.ts'],
  schedule: ['src/template-items/template-schedule.ts', 'test/template-items/template-schedule.test.ts'],
} as const

/** A file to write. */
export interface Draft {
  readonly path: string
  readonly text: string
}

/**
 * Reads a template, with its names replaced, in its path too.
 *
 * @param work the name of a task or a schedule, in place of `template-task` or `template-schedule`
 */
export function render(path: string, names: Names, work?: Forms): Draft {
  const text = readFileSync(join(folder, path), 'utf8').replaceAll("'../../src/", "'#src/")
  return { path: replaceNames(path, names, work), text: replaceNames(text, names, work) }
}

function replaceNames(text: string, names: Names, work: Forms | undefined): string {
  const pairs: [string, string][] = [
    ...pairsOf(many, names.many),
    ...pairsOf(one, names.one),
    ...(work ? ['template-task', 'template-schedule'].flatMap((name) => pairsOf(formsOf(name), work)) : []),
  ]
  const withArticles = text.replaceAll('a template item', `${articleOf(names.one.prose)} template item`)
  return pairs.reduce((changed, [from, to]) => changed.replaceAll(from, to), withArticles)
}

function pairsOf(from: Forms, to: Forms): [string, string][] {
  const sentence = ({ prose }: Forms) => prose.charAt(0).toUpperCase() + prose.slice(1)
  return [
    [from.snake.toUpperCase(), to.snake.toUpperCase()],
    [sentence(from), sentence(to)],
    ...(['kebab', 'snake', 'pascal', 'camel', 'prose'] as const).map((form): [string, string] => [
      from[form],
      to[form],
    ]),
  ]
}

/** `an invoice`, `a user`, `an hour`. */
function articleOf(word: string): 'a' | 'an' {
  return /^(?:[aio]|e(?!u)|u(?![a-z][aeiou])|hour|heir|honou?r)/.test(word) && !/^on(?:e|ce)\b/.test(word)
    ? 'an'
    : 'a'
}
