import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Page } from './pages.ts'

/** A match in the prose of a page. */
export interface Found {
  /** Where it stands, as `page:line`. */
  readonly place: string
  readonly page: string
  /** What the first group of the pattern found. */
  readonly found: string
}

/** Finds a pattern in the prose of pages. */
export function findInProse(pages: readonly Page[], pattern: RegExp): Found[] {
  return pages.flatMap(({ path: page, prose }) =>
    Array.from(prose.matchAll(pattern), ({ 1: found = '', index }) => {
      return { place: `${page}:${prose.slice(0, index).split('\n').length}`, page, found }
    }),
  )
}

/** The links of pages to files of the project, with or without a heading. */
export function linksOf(pages: readonly Page[]): Found[] {
  return findInProse(pages, /\]\((?!https?:|mailto:)([^)\s]+)\)/g)
}

/** Says which links of the pages lead nowhere, and why. */
export function brokenLinks(pages: readonly Page[], folder = '.'): string[] {
  return linksOf(pages).flatMap(({ place, page, found }) => {
    const what = missing(pages, page, found, folder)
    return what ? `${place}: ${what}` : []
  })
}

/** What a link of a page leads to that is not there. */
export function missing(
  pages: readonly Page[],
  page: string,
  link: string,
  folder = '.',
): string | undefined {
  const [path = '', anchor] = link.split('#', 2)
  const target = path ? posix.join(page, '..', path) : page
  if (!existsSync(join(folder, target))) return `${link} is not there`
  const text = pages.find((other) => other.path === target)?.prose
  if (anchor !== undefined && !(text && anchorsOf(text).has(anchor))) return `${link} is no heading`
  return undefined
}

/** The anchors that GitHub makes of a page's headings. */
export function anchorsOf(text: string): Set<string> {
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
