import { below, type Json, objectOf } from './document.ts'
import type { Written } from './schema-book.ts'

/**
 * Refuses what the service has already: routes, operationIds, schemas and API keys of the same name.
 *
 * @param there the service's contract
 * @throws {TypeError} naming it
 */
export function refuseTaken(
  there: Json,
  routes: readonly { method: string; path: string; operationId: string }[],
  schemas: readonly Written[],
  keys: readonly string[],
): void {
  const shapeOf = (path: string) => path.replaceAll(/\{[^{}]*\}/g, '{}')
  const mend = 'The service has it already: rename it in the document, or take it out'
  const paths = Object.entries(objectOf(there.paths)).flatMap(([path, methods]) =>
    Object.entries(objectOf(methods)).map(([method, operation]) => ({
      key: `${method} ${shapeOf(path)}`,
      id: objectOf(operation).operationId,
    })),
  )
  const seen = new Map<string, string>()
  for (const { method, path, operationId } of routes) {
    const key = `${method} ${shapeOf(path)}`
    if (paths.some((one) => one.key === key))
      throw new TypeError(`The route ${method.toUpperCase()} ${path}. ${mend}`)
    if (paths.some(({ id }) => id === operationId))
      throw new TypeError(`The operationId ${operationId}. ${mend}`)
    if (seen.has(key))
      throw new TypeError(
        `${below('#/paths', path)} and ${seen.get(key)} are the same path for a router: take one out`,
      )
    seen.set(key, path)
  }
  const { schemas: named, securitySchemes } = objectOf(there.components)
  const schema = schemas.find(({ constant, isPublic }) => isPublic && constant in objectOf(named))
  if (schema) throw new TypeError(`The schema ${schema.constant}. ${mend}`)
  const key = keys.find((one) => one in objectOf(securitySchemes))
  if (key) throw new TypeError(`The API key ${key}. ${mend}`)
}
