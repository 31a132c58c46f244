/** A JSON object of an OpenAPI document. */
export type Json = Record<string, unknown>

/** The document of `--from` cannot become a feature. The message names the place in it, and what to do. */
export class DocumentError extends TypeError {}

/** Whether a value is an object of JSON. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object, or an empty one where there is none. */
export function objectOf(value: unknown): Json {
  return isJson(value) ? value : {}
}

/** The list, or an empty one where there is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The text, or `undefined` where there is none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** One more step of a JSON pointer: `#/paths` and `/pets` are `#/paths/~1pets`. */
export function below(place: string, ...steps: readonly (string | number)[]): string {
  return [place, ...steps.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')
}

/**
 * What a reference leads to.
 *
 * @throws {DocumentError} for a reference that leads nowhere
 */
export function lookUp(document: Json, reference: string): unknown {
  const steps = reference
    .slice(1)
    .split('/')
    .slice(1)
    .map((step) => decode(step).replaceAll('~1', '/').replaceAll('~0', '~'))
  let found: unknown = document
  for (const step of steps)
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, step)
        ? (found as Json)[step]
        : undefined
  if (found === undefined) throw new DocumentError(`$ref: ${reference} leads nowhere: correct it`)
  return found
}

/** Follows a reference to a parameter, a body or a response, until there is an object. */
export function follow(document: Json, value: unknown, steps = 0): Json {
  const object = objectOf(value)
  if (typeof object.$ref !== 'string') return object
  if (steps > 20) throw new DocumentError(`$ref: ${object.$ref} leads to itself: correct it`)
  return follow(document, lookUp(document, object.$ref), steps + 1)
}

const prefix = '#/components/schemas'

/** The name that a reference gives to a schema: of `#/components/schemas/Pet`, `Pet`. */
export function componentOf(reference: string): string | undefined {
  if (!reference.startsWith(`${prefix}/`)) return undefined
  const [only = '', ...rest] = reference.slice(prefix.length + 1).split('/')
  return rest.length === 0 ? decode(only).replaceAll('~1', '/').replaceAll('~0', '~') : undefined
}

/** Where a named schema is. */
export function componentPlace(name: string): string {
  return below(prefix, name)
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
