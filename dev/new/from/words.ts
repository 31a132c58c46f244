import { builtIns, reservedWords } from '../reserved.ts'

/** `list-pets`, `list_pets` and `ListPets` as `listPets`. */
export function camelOf(name: string): string {
  const pascal = pascalOf(name)
  return pascal.charAt(0).toLowerCase() + pascal.slice(1)
}

/** `list-pets`, `list_pets` and `listPets` as `ListPets`. Empty if nothing is left. */
export function pascalOf(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^\d/.test(joined) ? `N${joined}` : joined
}

/** Gives names that are not taken: neither by another, nor by JavaScript. */
export function createNames(taken: Iterable<string> = []) {
  const used = new Set(taken)
  return (wanted: string, otherwise: string): string => {
    const isFree = (name: string) => !used.has(name) && !builtIns.has(name) && !reservedWords.has(name)
    const free = [
      wanted,
      otherwise,
      ...Array.from({ length: 999 }, (_none, index) => `${otherwise}${index + 2}`),
    ]
    const name = free.find((one) => one !== '' && isFree(one)) ?? otherwise
    used.add(name)
    return name
  }
}

/** A text as TypeScript writes it. */
export function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** A value of JSON as TypeScript writes it. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  return `{ ${Object.entries(value)
    .map(([key, part]) => `${keyOf(key)}: ${literal(part)}`)
    .join(', ')} }`
}

/** A key of an object as TypeScript writes it. */
export function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__'
    ? name
    : name === '__proto__'
      ? "['__proto__']"
      : quote(name)
}

/** A text in one line, as a comment can hold it. */
export function oneLine(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ').trim()
}
