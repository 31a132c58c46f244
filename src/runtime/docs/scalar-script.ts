import { readFile } from 'node:fs/promises'
import { runInNewContext } from 'node:vm'

/**
 * Scalar's plugin for Fastify. Its code holds the script of the page as a text, and it needs 13 small packages. The package of
 * the script alone, `@scalar/api-reference`, needs 283, of 230 MB: see docs/decisions/033.
 */
const plugin = new URL('./index.js', import.meta.resolve('@scalar/fastify-api-reference'))
const license = new URL('../LICENSE', import.meta.resolve('@scalar/fastify-api-reference'))

/** In characters. The script has five million, and no other line of the plugin has as many. */
const shortest = 1_000_000

/**
 * Reads the script that shows a contract, with its licence.
 *
 * @throws {Error} if another version of the plugin holds it elsewhere
 */
export async function scalarScript(): Promise<string> {
  const code = await readFile(plugin, 'utf8')
  const line = code.split('\n').find(({ length }) => length > shortest) ?? ''
  const literal = line.slice(line.indexOf('"'), line.lastIndexOf('"') + 1)
  const script: unknown = literal && runInNewContext(literal)
  if (typeof script !== 'string' || script.length < shortest)
    throw new Error(
      '@scalar/fastify-api-reference no longer holds the script of the page as a text of its code.',
    )
  return `/*! @scalar/api-reference\n\n${await readFile(license, 'utf8')}*/\n${script}`
}
