import { existsSync, readFileSync } from 'node:fs'

/** The parts of an OpenAPI document that development uses. */
export interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ContractOperation>>>>
}

interface ContractOperation {
  readonly security?: Record<string, string[]>[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> }
}

const file = new URL('../../openapi/openapi.json', import.meta.url)

/** The committed contract; an empty one if there is none. */
export function readContract(): Contract {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { paths: {} }
}

/**
 * The request that shows a service best: the first that sends an example of the contract to a path without parameters.
 * If there is none, it asks who the caller is.
 */
export function exampleRequest({ paths }: Contract): { path: string; body?: unknown } {
  for (const [path, { post }] of Object.entries(paths)) {
    const body = post?.requestBody?.content['application/json']?.example
    if (body !== undefined && !path.includes('{')) return { path, body }
  }
  return { path: '/auth/version' }
}
