import { globSync, readFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import metadata from '../../package.json' with { type: 'json' }

/** A file of TypeScript. */
export interface Source {
  /** From the repository's root. */
  readonly path: string
  readonly text: string
  /** The text without its comments, in the same lines. */
  readonly code: string
  /** What it imports, types included: a path from the repository's root, or a package's name. */
  readonly imports: readonly string[]
}

/** Reads the files that match, of git's own: `src/**\/*.ts`. */
export function readSources(...patterns: string[]): Source[] {
  const paths = globSync(patterns).map((path) => path.replaceAll('\\', '/'))
  return paths.sort().map((path) => parseSource(path, readFileSync(path, 'utf8')))
}

/** Reads a text as the file at `path`. */
export function parseSource(path: string, text: string): Source {
  const lines = (comment: string) => comment.replaceAll(/[^\n]/g, '')
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, lines).replaceAll(/(^|\s)\/\/ .*$/gm, '$1')
  const specifiers = [...code.matchAll(/\b(?:from|import)\s*\(?\s*(['"`])([^'"`]+)\1/g)].map(
    ([, , name = '']) => name,
  )
  return { path, text, code, imports: specifiers.map((name) => resolve(path, name)) }
}

/** The exported functions and classes of a file that no comment explains, by name. */
export function unexplained({ text }: Source): string[] {
  const declaration =
    /^export (?:default )?(?:async )?(?:function\*?|class|const (?=\w+ = (?:async )?\([^)]*\) =>)) ?(\w+)/gm
  return [...text.matchAll(declaration)]
    .filter(({ index, 1: name }) => {
      const overload = new RegExp(`export (?:async )?function ${name}\\b(?:(?!\\n}\\n)[^])*\\n$`)
      const before = text.slice(0, index)
      return !before.endsWith('*/\n') && !overload.test(before)
    })
    .map(([, name = '']) => name)
}

const doors: Readonly<Record<string, string>> = metadata.imports

function resolve(from: string, specifier: string): string {
  const door = doors[specifier]
  if (door) return posix.normalize(door)
  if (specifier.startsWith('#')) return specifier.slice(1)
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier) : specifier
}
