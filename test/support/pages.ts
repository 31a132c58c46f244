import { globSync, readFileSync } from 'node:fs'

/** A page of the documentation. */
export interface Page {
  readonly path: string
  /** What is written outside blocks of code. */
  readonly prose: string
  readonly blocks: readonly Block[]
}

/** A block of code on a page. */
export interface Block {
  /** As the fence says: `ts`, `sh`. */
  readonly language: string
  readonly text: string
}

const fenced = /^ *```(\w+)\n(.*?)^ *```$/gms

/** A page from its Markdown. */
export function parsePage(path: string, markdown: string): Page {
  const text = markdown.replaceAll('\r\n', '\n')
  const blocks = Array.from(text.matchAll(fenced), ([, language = '', text = '']) => ({ language, text }))
  return { path, prose: text.replaceAll(fenced, ''), blocks }
}

/** README.md and the pages beside it, and all that is below docs/. CHANGELOG.md tells of what may be gone. */
export function readPages(): Page[] {
  const paths = globSync(['{README,CONTRIBUTING,SECURITY}.md', 'docs/**/*.md']).sort()
  return paths.map((path) => parsePage(path, readFileSync(path, 'utf8')))
}
