/** A character class that lists its characters. It means the same with and without the flag u. */
const plainClass = /\[(?!\^)(?:\\[^SWDPpu]|\\u(?!\{)|[^\]\\\u{10000}-\u{10FFFF}])*\]/gu
/** Parts of a regular expression that mean something else with the flag u. */
const counting = /\\[SWDPp]|\\u\{|\[\^|(?<!\\)(?:\\\\)*\.|[\u{10000}-\u{10FFFF}]/u

/**
 * Refuses a regular expression that a reader of the contract would interpret differently. In a contract, regular expressions
 * have no flags, and are interpreted with the flag u.
 *
 * @param isOwn whether the route has written it; otherwise it belongs to one of zod's formats
 * @see https://json-schema.org/draft/2020-12/json-schema-core#section-6.4
 */
export function refusePattern(pattern: RegExp, isOwn: boolean, refuse: (mend: string) => never): void {
  const flags = pattern.flags.replaceAll(/[dgu]/g, '')
  const has = `the regular expression ${pattern}`
  if (flags === 'v') refuse(`${has} has the flag v, but those of a contract have u. Write it with u`)
  if (flags) refuse(`${has}: a contract has no flags. Write it without ${flags}, such as [Aa] for /a/i`)
  if (!isOwn || pattern.unicode) return
  try {
    new RegExp(pattern.source, 'u')
  } catch {
    refuse(`${has} is invalid with the flag u, which those of a contract have. Write it with that flag: /…/u`)
  }
  if (counting.test(pattern.source.replaceAll(plainClass, '')))
    refuse(
      `${has} means something else with the flag u, which those of a contract have. Add the flag: ${pattern}u`,
    )
}
