import { pluralize, singularize } from 'inflection'
import { builtIns, reservedInSql, reservedWords } from './reserved.ts'

/** A feature's names in each form that code writes. `many` is the plural. */
export interface Names {
  readonly many: Forms
  readonly one: Forms
}

/** One name: `line-items`, `lineItems`, `LineItems`, `line_items`, `line items`. */
export interface Forms {
  readonly kebab: string
  readonly camel: string
  readonly pascal: string
  readonly snake: string
  readonly prose: string
}

/** The forms of a name that is written `line-items`. */
export function formsOf(kebab: string): Forms {
  const words = kebab.split('-')
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  const pascal = words.map(capital).join('')
  const camel = pascal.charAt(0).toLowerCase() + pascal.slice(1)
  return { kebab, camel, pascal, snake: words.join('_'), prose: words.join(' ') }
}

/** The nearest name that is written `line-items`; empty if nothing is left. */
export function toKebab(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[\d-]+|-+$/g, '')
}

/**
 * Checks a name that is written `line-items`.
 *
 * @param what what it names, for the message
 * @param command what one types before the name
 * @throws {TypeError} that says what to write instead
 */
export function checkKebab(what: string, name: string | undefined, command: string): string {
  if (name === undefined) throw new TypeError(`Name the ${what}: ${command}line-items`)
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name.length <= 40) return name
  const better = toKebab(name)
  const example = better !== '' && better.length <= 40 ? better : 'line-items'
  throw new TypeError(
    `'${name}' cannot be the name of a ${what}: it is small letters and digits, with - between words, 40 at most. Write: ` +
      `${command}${example}`,
  )
}

/**
 * Reads the names of a feature from its plural.
 *
 * @param singular for a word that English does not form by rule
 * @throws {TypeError} that says what to write instead
 */
export function featureNames(given: string | undefined, singular: string | undefined): Names {
  const command = 'npm run new -- feature '
  const plural = checkKebab('feature', given, command)
  const single =
    singular === undefined
      ? singularOf(plural, command)
      : checkKebab('feature', singular, `${command}${plural} --singular `)
  if (single === plural)
    throw new TypeError(
      `The singular of ${plural} must differ from it: ${command}${plural} --singular ${plural}-entry`,
    )
  const names = { many: formsOf(plural), one: formsOf(single) }
  refuseReserved(names, `${command}customer-${plural}`)
  return names
}

function refuseReserved({ many, one }: Names, better: string): void {
  const mend = `Write another name, such as: ${better}`
  if (reservedWords.has(many.camel))
    throw new TypeError(`${many.camel} is a reserved word of TypeScript. ${mend}`)
  if (reservedInSql.has(many.snake))
    throw new TypeError(`${many.snake} is a keyword of SQL, which each query would have to quote. ${mend}`)
  if (builtIns.has(one.pascal))
    throw new TypeError(`${one.pascal} would hide JavaScript's own ${one.pascal}. ${mend}`)
}

function singularOf(plural: string, command: string): string {
  const single = singularize(plural)
  if (single !== plural) return single
  const many = pluralize(plural)
  const mend = many === plural ? `${command}${plural} --singular ${plural}-entry` : `${command}${many}`
  throw new TypeError(
    `A feature is named by its plural, and '${plural}' is none by the rules of English. Write: ${mend}, or give both: ` +
      `${command}PLURAL --singular SINGULAR`,
  )
}
