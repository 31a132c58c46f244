import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Page, parsePage, readPages } from '#test/support/pages.ts'
import { expectRule } from '#test/support/rule.ts'

// A page that names a file or a function must be changed with it.

const pages = readPages()
/** Names of libraries that our code does without, and of PyMacaron. */
const foreign = ['createRoute', 'get_user_id', 'generate_token', 'API', 'options.env', 'pym-config.yaml']
/** Our files, in a clone as in what was uploaded to a build. */
const ours = globSync(['*.*', '.env.example', '{deploy,dev,docs,migrations,openapi,src,test}/**/*.*'])
/** All words of our own code, but for the samples below; what is called has its parenthesis as well: `createApp(`. */
const words = new Set(
  ours
    .filter(
      (path) => /\.(ts|cjs|sql|json|sh|yaml)$/.test(path) && !/lock\.json$|references\.test\.ts$/.test(path),
    )
    .flatMap((path) => readFileSync(path, 'utf8').match(/[A-Za-z_$][\w$]*\(?/g) ?? [])
    .flatMap((word) => [word, word.replace('(', '')]),
)

/** Files that a page has its reader write, those that come into being by themselves, and those of the notes. */
const shown = pages.flatMap(({ blocks }) =>
  blocks.map(({ text }) => /^\/\/ (\S+\.ts)\n/.exec(text)?.[1] ?? ''),
)
const made = /^(openapi\/clients\/|dist|node_modules|\.data|\.build|\.env$)|\/(notes|tenant)\//
/** `src/FEATURE/`, `src/*`, `….sql`: a pattern, not a path. */
const isPattern = (path: string) =>
  /[*…{}]|[A-Z]{4}/.test(path.replace(/README|SECURITY|CONTRIBUTING|CHANGELOG/, ''))

/** What is between backticks, on one line. */
function spans({ prose }: Page): string[] {
  return Array.from(prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g), ([, span = '']) => span)
}

/** Paths that a page names: those of our folders, and files by their bare name. */
function paths(page: Page): string[] {
  const folders = /^(?:src|dev|test|deploy|docs|migrations|openapi|bench|\.ci)\/[\w./*…-]*$/
  const files = /^[\w./-]+\.(?:ts|cjs|md|yaml|env|sql)$/
  return spans(page).filter((span) => (folders.test(span) || files.test(span)) && !isPattern(span))
}

function isThere(path: string): boolean {
  if (made.test(path) || foreign.includes(path) || existsSync(path) || shown.includes(path)) return true
  if (shown.some((file) => file.startsWith(path))) return true // a folder of such files
  return ours.some((file) => (path.includes('/') ? file.endsWith(`/${path}`) : basename(file) === path))
}

/** Functions that a page calls, and other names that are written as only code is. */
function names(page: Page): string[] {
  return spans(page).flatMap((span) => {
    const called = /^[A-Za-z_$][\w$]*\(/.exec(span)?.[0]
    const camel = /^[a-z]+(?:[A-Z][a-z0-9]+)+$/.exec(span)?.[0]
    return called ?? camel ?? []
  })
}

function isKnown(name: string): boolean {
  return words.has(name) || foreign.includes(name.replace('(', ''))
}

/** A block that begins with `// from PATH` is an excerpt of that file, whatever its indentation. */
function excerpts({ blocks }: Page): { path: string; text: string }[] {
  return blocks.flatMap(({ text }) => {
    const [, path, rest = ''] = /^\/\/ from (\S+)\n(.*)$/s.exec(text) ?? []
    return path === undefined ? [] : [{ path, text: rest }]
  })
}

function unindented(text: string): string {
  return text.replaceAll(/^ +/gm, '').trim()
}

function isExcerpt({ path, text }: { path: string; text: string }): boolean {
  return existsSync(path) && unindented(readFileSync(path, 'utf8')).includes(unindented(text))
}

function places(found: (page: Page) => string[]): string[] {
  return pages.flatMap((page) => [...new Set(found(page))].map((what) => `${page.path}: ${what}`))
}

describe('what the documentation names is there', () => {
  test('files', () => {
    expectRule(
      'Every file that a page names is there.',
      places((page) => paths(page).filter((path) => !isThere(path))),
      'name it as it is called now.',
    )
  })

  test('functions, options and other names of code', () => {
    expectRule(
      'Every name of code that a page has between backticks occurs in the code.',
      places((page) => names(page).filter((name) => !isKnown(name))),
      'name it as it is called now; a name of others that our code does not use needs no backticks.',
    )
  })

  test('excerpts', () => {
    const all = pages.flatMap(excerpts)
    expect(all.length).toBeGreaterThan(4)
    expectRule(
      'A block that begins with `// from PATH` is an excerpt of that file.',
      places((page) =>
        excerpts(page)
          .filter((excerpt) => !isExcerpt(excerpt))
          .map(({ path }) => path),
      ),
      'copy the lines once more.',
    )
  })
})

test('docs/decisions/README.md lists every decision, in order', () => {
  const files = globSync('docs/decisions/[0-9]*.md').map((path) => basename(path))
  const list = readFileSync('docs/decisions/README.md', 'utf8').matchAll(
    /^\| (\d+) \|.*\]\((\d+-[\w-]+\.md)\)/gm,
  )
  const listed = Array.from(list, ([, number = '', file = '']) => `${number.padStart(3, '0')} ${file}`)
  expect(listed).toEqual(files.sort().map((file) => `${/^\d+/.exec(file)} ${file}`))
})

test('these rules see what they look for', () => {
  const page = parsePage(
    'a.md',
    'See `src/app.ts`, `src/gone.ts`, `src/FEATURE/`, `gone.test.ts`; `notThereAtAll()`, `alsoNotThere` and `createApp()`.\n' +
      '```ts\n// from src/app.ts\nexport function createApp() {}\n```\n```ts\n`src/code.ts`\n```\n',
  )
  expect(paths(page).filter((path) => !isThere(path))).toEqual(['src/gone.ts', 'gone.test.ts'])
  expect(names(page).filter((name) => !isKnown(name))).toEqual(['notThereAtAll(', 'alsoNotThere'])
  expect(excerpts(page).map(isExcerpt)).toEqual([false])
})
