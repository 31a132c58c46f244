import { readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { expect, test } from 'vitest'
import { anchorsOf, brokenLinks, findInProse, linksOf, missing } from '#test/support/links.ts'
import { readPages } from '#test/support/pages.ts'
import metadata from '../../package.json' with { type: 'json' }

// What the pages point at is there. No link to another site is followed.

const pages = readPages()
const paths = pages.map(({ path }) => path)

test('every link leads to a file, and to a heading of it', () => {
  expect(linksOf(pages).length).toBeGreaterThan(60)
  expect(brokenLinks(pages)).toEqual([])
})

test('a broken link, an anchor without a heading and a heading of code are seen', () => {
  expect(missing(pages, 'docs/tasks.md', 'nowhere.md')).toBe('nowhere.md is not there')
  expect(missing(pages, 'docs/tasks.md', '../README.md#nowhere')).toBe('../README.md#nowhere is no heading')
  expect(missing(pages, 'docs/tasks.md', '../src/app.ts#nowhere')).toBe('../src/app.ts#nowhere is no heading')
  expect(missing(pages, 'docs/tasks.md', '../README.md#the-two-commands')).toBeUndefined()
  const headings = '# When `migrate` refuses\n\n## Again\n\n## Again\n\n## One, two: [three](four.md)\n'
  expect([...anchorsOf(headings)]).toEqual(['when-migrate-refuses', 'again', 'again-1', 'one-two-three'])
})

test('every page is reached from README', () => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    const links = linksOf(pages).filter((link) => link.page === page)
    for (const { found } of links) {
      const path = join(page, '..', found.replace(/#.*/, ''))
      if (paths.includes(path)) reached.add(path)
    }
  }
  expect(paths.filter((page) => !reached.has(page))).toEqual([])
})

test('every script that a page names is in package.json', () => {
  const scripts = findInProse(pages, /`[^`\n]*\bnpm run (?:-\w+ |--\w+ )*([\w:]+)/g)
  expect(scripts.length).toBeGreaterThan(10)
  const unknown = scripts.filter(({ found }) => !Object.hasOwn(metadata.scripts, found))
  expect(unknown.map(({ place, found }) => `${place}: npm run ${found}`)).toEqual([])
})

test('README has 150 lines at most', () => {
  expect(readFileSync('README.md', 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(150)
})
