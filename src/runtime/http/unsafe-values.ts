import { invalidAt, type RequestPart } from './validation.ts'

/** Unsafe text, and the keys that lead to it, the innermost first. */
interface Found {
  readonly what: string
  readonly keys: PropertyKey[]
}

/**
 * Refuses text that is valid in JSON or a form, but causes failures later: NUL, which PostgreSQL cannot store; lone
 * surrogates, which UTF-8 cannot encode; and the name `__proto__`, which is lost when an object is copied.
 *
 * @param value a parsed body (of at most 64 levels) or query
 * @throws {Problem} VALIDATION_FAILED, with a pointer to the value
 */
export function refuseUnsafe(value: unknown, part: RequestPart): void {
  const found = findUnsafe(value)
  if (found) throw invalidAt(part, found.keys.reverse(), found.what)
}

function findUnsafe(value: unknown): Found | undefined {
  if (typeof value === 'string') {
    const what = unsafeReason(value)
    return what === undefined ? undefined : { what, keys: [] }
  }
  if (typeof value !== 'object' || value === null || value instanceof Blob) return undefined
  return Array.isArray(value) ? findInList(value) : findInObject(value as Record<string, unknown>)
}

function findInList(values: readonly unknown[]): Found | undefined {
  for (let index = 0; index < values.length; index++) {
    const found = findUnsafe(values[index])
    if (found) return added(found, index)
  }
  return undefined
}

function findInObject(values: Readonly<Record<string, unknown>>): Found | undefined {
  for (const key of Object.keys(values)) {
    const what = key === '__proto__' ? 'must not have the name __proto__' : unsafeReason(key)
    const found = what === undefined ? findUnsafe(values[key]) : { what, keys: [] }
    if (found) return added(found, key)
  }
  return undefined
}

function added(found: Found, key: PropertyKey): Found {
  found.keys.push(key)
  return found
}

function unsafeReason(text: string): string | undefined {
  if (text.includes('\0')) return 'must not hold a NUL character'
  return text.isWellFormed() ? undefined : 'must be well-formed Unicode (it holds a lone surrogate)'
}
