import type { Block } from '#test/support/pages.ts'

/** What a page says of a block, for the tests. */
export interface Note {
  /** Why it is not run. */
  readonly reason?: string
  /** Code around it, which a reader does not see: it stands in place of `BLOCK`, or behind. */
  readonly around?: string
  /** The service's output that it waits for. */
  readonly after?: string
  /** Commands before it. */
  readonly before: readonly string[]
  /** What it prints, in this order. */
  readonly prints: readonly string[]
  /** What stands for a word of the reader's own. */
  readonly words: Readonly<Record<string, string>>
}

/**
 * Reads the comment before a block. It is one of these:
 *
 * - `not run: a reason`
 * - `around`, and below it lines of TypeScript, one of them `BLOCK`
 * - `test`, and behind it or below it lines such as `after: text`, `before: command`, `prints: text`, `WORD = value`
 *
 * @throws {Error} if it is none of them
 */
export function readNote({ page, line, note = 'test' }: Block): Note {
  const none = { before: [], prints: [], words: {} }
  const [head = '', ...rest] = note.replace(/^test /, 'test\n').split('\n')
  const [, reason] = /^not run: (.+)$/s.exec(note) ?? []
  if (reason) return { ...none, reason }
  if (head === 'around') return { ...none, around: rest.join('\n') }
  const settings = rest.map((text) => /^(after|before|prints): (.+)$|^([A-Z_]+) = (.+)$/.exec(text))
  if (head !== 'test' || settings.some((setting) => !setting))
    throw new Error(
      `${page}:${line}: the comment before this block says nothing that the tests know: ${note}`,
    )
  const all = (name: string) =>
    settings.flatMap((setting) => (setting?.[1] === name ? [setting[2] ?? ''] : []))
  const [after] = all('after')
  const words = settings.flatMap((setting) => (setting?.[3] ? [[setting[3], setting[4] ?? '']] : []))
  return {
    before: all('before'),
    prints: all('prints'),
    words: Object.fromEntries(words),
    ...(after && { after }),
  }
}

/** What becomes of a block. */
export type Kind = 'not run' | 'file' | 'excerpt' | 'lines' | 'fragment' | 'commands' | 'statements' | 'shown'

/**
 * Tells what becomes of a block, by its language and its first line.
 *
 * @returns `undefined` where nothing would: it needs a reason
 */
export function kindOf(block: Block): Kind | undefined {
  const { language, text } = block
  if (readNote(block).reason || (language === 'sh' && usesGoogle.test(text))) return 'not run'
  if (language === 'sh') return /^# in [\w./-]+\n/.test(text) ? 'lines' : 'commands'
  if (language === 'sql') return 'statements'
  if (language === 'json' || language === 'mermaid') return 'shown'
  if (language !== 'ts') return undefined
  if (/^\/\/ from [\w./-]+\n/.test(text)) return 'excerpt'
  if (/^\/\/ in [\w./-]+\n/.test(text)) return 'lines'
  if (/^\/\/ [\w./-]+\.ts\n/.test(text)) return 'file'
  if (text.startsWith('import ')) return 'fragment'
  return readNote(block).around === undefined ? undefined : 'fragment'
}

/** Google's CLI would call Google. test/deploy/gcloud-commands.test.ts has its parser read these commands. */
const usesGoogle = /\bgcloud /

/** The path in a block's first line. */
export function pathOf({ text }: Block): string {
  return /^(?:\/\/|#) (?:from |in )?(\S+)\n/.exec(text)?.[1] ?? ''
}

/** A block without its first line. */
export function bodyOf({ text }: Block): string {
  return text.replace(/^.*\n/, '')
}

/**
 * Puts the lines of a block into a file: an import after the others, a statement in place of the one that assigns the
 * same, and what assigns nothing at the end. A list keeps what it has.
 */
export function putInto(file: string, lines: string): string {
  return lines
    .trimEnd()
    .split('\n')
    .reduce((text, line) => {
      if (line.startsWith('import ')) return text.replace(lastImport, `$&${line}\n`)
      const start = line.slice(0, line.indexOf(' = ') + 3)
      const same = text.split('\n').find((other) => start.length > 2 && other.startsWith(start))
      return same ? text.replace(same, mergeLists(same, line)) : `${text}${line}\n`
    }, file)
}

/** `mergeLists('const a = [b, c]', 'const a = [b, d]')` is `const a = [b, c, d]`. */
function mergeLists(old: string, line: string): string {
  const itemsOf = (text: string) => /= \[(.*)\]$/.exec(text)?.[1]?.split(', ')
  const [before, more] = [itemsOf(old), itemsOf(line)]
  return before && more
    ? line.replace(/\[[^[]*\]$/, `[${[...new Set([...before, ...more])].join(', ')}]`)
    : line
}

const lastImport = /^(?:import|\}) .*from '[^']*'\n(?![\s\S]*^(?:import|\}) .*from ')/m
