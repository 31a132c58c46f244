import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { expect, test } from 'vitest'
import { readPages } from '#test/support/pages.ts'
import metadata from '../../package.json' with { type: 'json' }

// What the pages point at is there. No link to another site is followed.

const pages = readPages()
const prose = new Map(pages.map((page) => [page.path, page.prose]))

/** Each match in the prose, with where it stands as `page:line`. */
function find(pattern: RegExp): { place: string; page: string; found: string }[] {
  return Array.from(prose).flatMap(([page, text]) =>
    Array.from(text.matchAll(pattern), ({ 1: found = '', index }) => {
      return { place: `${page}:${text.slice(0, index).split('\n').length}`, page, found }
    }),
  )
}

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.matchAll(/^#{1,6} +(.*?) *$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')
    let name = anchor
    for (let again = 1; anchors.has(name); again++) name = `${anchor}-${again}`
    anchors.add(name)
  }
  return anchors
}

/** What a link of a page leads to that is not there. */
function missing(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#', 2)
  const target = path ? join(page, '..', path) : page
  if (!existsSync(target)) return `${link} is not there`
  const text = prose.get(target)
  if (anchor !== undefined && !(text && anchorsOf(text).has(anchor))) return `${link} is no heading`
}

test('every link leads to a file, and to a heading of it', () => {
  const links = find(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)
  expect(links.length).toBeGreaterThan(60)
  const broken = links.flatMap(
    ({ place, page, found }) => missing(page, found)?.replace(/^/, `${place}: `) ?? [],
  )
  expect(broken).toEqual([])
})

test('a broken link, an anchor without a heading and a heading of code are seen', () => {
  expect(missing('docs/tasks.md', 'nowhere.md')).toBe('nowhere.md is not there')
  expect(missing('docs/tasks.md', '../README.md#nowhere')).toBe('../README.md#nowhere is no heading')
  expect(missing('docs/tasks.md', '../src/app.ts#nowhere')).toBe('../src/app.ts#nowhere is no heading')
  expect(missing('docs/tasks.md', '../README.md#the-two-commands')).toBeUndefined()
  const headings = '# When `migrate` refuses\n\n## Again\n\n## Again\n\n## One, two: [three](four.md)\n'
  expect([...anchorsOf(headings)]).toEqual(['when-migrate-refuses', 'again', 'again-1', 'one-two-three'])
})

test('every page is reached from README', () => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    const links = find(/\]\((?!https?:)([^)\s#]+)[^)]*\)/g).filter((link) => link.page === page)
    for (const { found } of links)
      if (prose.has(join(page, '..', found))) reached.add(join(page, '..', found))
  }
  expect([...prose.keys()].filter((page) => !reached.has(page))).toEqual([])
})

test('every script that a page names is in package.json', () => {
  const scripts = find(/`[^`\n]*\bnpm run (?:-\w+ |--\w+ )*([\w:]+)/g)
  expect(scripts.length).toBeGreaterThan(10)
  const unknown = scripts.filter(({ found }) => !Object.hasOwn(metadata.scripts, found))
  expect(unknown.map(({ place, found }) => `${place}: npm run ${found}`)).toEqual([])
})

test('README has 150 lines at most', () => {
  expect(readFileSync('README.md', 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(150)
})
