import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** A name that `#runtime` exports, as an editor shows it. */
export interface DoorExport {
  readonly name: string
  readonly isType: boolean
  /** The file that declares it. */
  readonly file: string
  /** Its doc comment without the stars; empty where there is none. */
  readonly doc: string
  /** The code of each of its `@example` blocks. */
  readonly examples: readonly string[]
}

const door = 'src/runtime/index.ts'

/** Reads all that `#runtime` exports, with its doc comments. */
export function readDoor(): DoorExport[] {
  return parseDoor(readFileSync(door, 'utf8'), (file) => readFileSync(file, 'utf8'))
}

/**
 * Reads what a text exports as `src/runtime/index.ts` does.
 *
 * @param read the text of a file, by its path from the repository's root
 * @throws {Error} for an export that is not written as `export { … } from '…'`
 */
export function parseDoor(text: string, read: (file: string) => string): DoorExport[] {
  const statement = /^export (type )?\{([^}]*)\} from '([^']+)'$/gm
  const left = text.replaceAll(statement, '').match(/^export .*/m)
  if (left) throw new Error(`${door} has an export of another form: ${left[0]}`)
  return [...text.matchAll(statement)].flatMap(({ index, 1: type, 2: names = '', 3: from = '' }) => {
    const isOwn = from.startsWith('.')
    const file = isOwn ? posix.join(posix.dirname(door), from) : door
    return names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((given) => {
        const name = given.replace(/^type /, '')
        const doc = isOwn ? docOf(read(file), name) : docBefore(text, index)
        return { name, isType: type !== undefined || name !== given, file, doc, examples: examplesIn(doc) }
      })
  })
}

/** The doc comment of a declaration; of an overloaded function that of its first form. */
function docOf(text: string, name: string): string {
  const kinds = 'const|let|async function\\*?|function\\*?|class|interface|type'
  const declaration = new RegExp(`^export (?:${kinds}) ${name}\\b`, 'm').exec(text)
  return declaration ? docBefore(text, declaration.index) : ''
}

function docBefore(text: string, index: number): string {
  const before = text.slice(0, index)
  if (!before.endsWith('*/\n')) return ''
  const comment = before.slice(before.lastIndexOf('/**') + 3, -3)
  return comment.replaceAll(/^ *\* ?/gm, '').trim()
}

/** An example ends at the next tag. Fences around it are no part of it. */
function examplesIn(doc: string): string[] {
  return [...doc.matchAll(/^@example\n([\s\S]*?)(?=^@|(?![\s\S]))/gm)].map(([, code = '']) =>
    code.replaceAll(/^```\w*$/gm, '').trim(),
  )
}
