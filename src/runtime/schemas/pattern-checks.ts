/** A class that names its characters: it takes the same with the flag u and without. */
const plainClass = /\[(?!\^)(?:\\[^SWDPpu]|\\u(?!\{)|[^\]\\\u{10000}-\u{10FFFF}])*\]/gu
/** What means another thing, or counts code points, where a regular expression has the flag u. */
const counting = /\\[SWDPp]|\\u\{|\[\^|(?<!\\)(?:\\\\)*\.|[\u{10000}-\u{10FFFF}]/u

/**
 * Refuses a regular expression that another reader of the contract would read otherwise: a contract has no flags, and its
 * expressions are Unicode.
 *
 * @param isOwn whether it is the route's, not one of zod's formats
 * @see https://json-schema.org/draft/2020-12/json-schema-core#section-6.4
 */
export function refusePattern(pattern: RegExp, isOwn: boolean, refuse: (mend: string) => never): void {
  const flags = pattern.flags.replaceAll(/[dgu]/g, '')
  const has = `the regular expression ${pattern}`
  if (flags === 'v') refuse(`${has} has the flag v: a contract’s have u. Write it with u`)
  if (flags) refuse(`${has}: a contract has no flags. Write it without ${flags}, such as [Aa] for /a/i`)
  if (!isOwn || pattern.unicode) return
  try {
    new RegExp(pattern.source, 'u')
  } catch {
    refuse(`${has} is none with the flag u, which a contract’s have. Write it so: /…/u`)
  }
  if (counting.test(pattern.source.replaceAll(plainClass, '')))
    refuse(`${has} means another thing with the flag u, which a contract’s have. Add it: ${pattern}u`)
}
