import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A page of the documentation, with one kind of line end. */
export interface Page {
  /** From the top of the project, such as `docs/tasks.md`. */
  readonly path: string
  readonly blocks: readonly Block[]
  /** The page without its blocks of code, each line where it was. */
  readonly prose: string
}

/** A block of code in the documentation. */
export interface Block {
  /** The page that it is on. */
  readonly page: string
  /** The line of its fence. */
  readonly line: number
  /** As the fence says: `ts`, `sh`. */
  readonly language: string
  /** Without the fences, and without the indentation of a block in a list. */
  readonly text: string
  /** What the page says of the block in a comment before it, which a reader does not see. */
  readonly note: string | undefined
}

const fenced = /^(?: *<!-- ((?:(?!-->).)*?)\s*-->\n)?( *)```(\w*)\n(.*?)^ *```$/gms

/**
 * README.md and the pages beside it, and all that is below docs/. CHANGELOG.md tells of what may be gone.
 *
 * @param folder the top of the project
 */
export function readPages(folder = '.'): Page[] {
  return globSync(['{README,CONTRIBUTING,SECURITY}.md', 'docs/**/*.md'], { cwd: folder })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => parsePage(path, readFileSync(join(folder, path), 'utf8')))
}

/** Reads a page. */
export function parsePage(path: string, text: string): Page {
  const markdown = text.replaceAll('\r\n', '\n')
  const blocks = Array.from(markdown.matchAll(fenced), (match) => {
    const [all, note, indentation = '', language = '', code = ''] = match
    const fence = match.index + all.indexOf(`${indentation}\`\`\``)
    return {
      page: path,
      line: markdown.slice(0, fence).split('\n').length,
      language,
      text: code.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
      note,
    }
  })
  return { path, blocks, prose: markdown.replaceAll(fenced, (block) => block.replaceAll(/[^\n]/g, '')) }
}
