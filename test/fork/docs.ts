import { globSync, readFileSync } from 'node:fs'

/** A block of code in the documentation. */
export interface Block {
  /** The page that it is on. */
  readonly page: string
  /** As the fence says: `ts`, `sh`. */
  readonly language: string
  readonly text: string
}

/** Every block of code of README.md and docs/, in order. */
export function codeBlocks(): Block[] {
  return globSync(['README.md', 'docs/*.md'])
    .sort()
    .flatMap((page) => {
      const blocks = readFileSync(page, 'utf8')
        .replaceAll('\r\n', '\n')
        .matchAll(/^```(\w+)\n(.*?)^```$/gms)
      return Array.from(blocks, ([, language = '', text = '']) => ({ page, language, text }))
    })
}

/** The files that the documentation shows in full: blocks whose first line is a comment with a path. */
export function shownFiles(blocks: readonly Block[]): Record<string, string> {
  const files = blocks.flatMap(({ text }) => {
    const [, path] = /^\/\/ ((?:src|test)\/[\w/.-]+\.ts)\n/.exec(text) ?? []
    return path ? [[path, text] as const] : []
  })
  return Object.fromEntries(files)
}
