import type { Api } from './client.ts'
import { expectJson } from './expect.ts'

type Json = Record<string, unknown>

/** The contract that a service shows, its references followed: see `followReferences`. */
export async function contractOf<Contract extends object>(api: Api): Promise<Contract> {
  return followReferences(await expectJson<Contract>(await api('/openapi.json')))
}

/**
 * A contract whose responses, parameters and headers stand where operations refer to them. References to schemas stay.
 *
 * @throws {Error} naming a reference that leads nowhere
 */
export function followReferences<Document extends object>(document: Document): Document {
  const follow = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(follow)
    if (typeof part !== 'object' || part === null) return part
    const { $ref } = part as Json
    if (typeof $ref === 'string' && !$ref.startsWith('#/components/schemas/'))
      return follow(partAt(document, $ref))
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, follow(value)]))
  }
  return follow(document) as Document
}

/**
 * What a reference leads to.
 *
 * @throws {Error} naming a reference that leads nowhere
 */
export function partAt(document: object, reference: string): object {
  const steps = reference.replace(/^#\//, '').split('/')
  const part = steps.reduce<unknown>((inner, step) => (inner as Json | undefined)?.[step], document)
  if (typeof part !== 'object' || part === null) throw new Error(`${reference} leads nowhere`)
  return part
}
