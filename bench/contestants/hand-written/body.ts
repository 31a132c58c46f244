import type { IncomingMessage } from 'node:http'
import type { Code } from '../common/duties.ts'

/** Ends a request with a problem. */
export class Refusal extends Error {
  readonly code: Code
  readonly errors: unknown[] | undefined
  constructor(code: Code, detail?: string, errors?: unknown[]) {
    super(detail)
    this.code = code
    this.errors = errors
  }
}

/** The order in a body. @throws {Refusal} naming the fields that are wrong */
export function orderOf(body: unknown): { item: string; quantity: number } {
  const { item, quantity, ...rest } = (typeof body === 'object' && body ? body : {}) as Record<
    string,
    unknown
  >
  const errors: unknown[] = []
  if (typeof item !== 'string' || item.length < 1 || item.length > 100)
    errors.push({ in: 'body', detail: 'must be text of 1 to 100 characters', pointer: '#/item' })
  if (!Number.isInteger(quantity) || Number(quantity) < 1 || Number(quantity) > 1000)
    errors.push({ in: 'body', detail: 'must be a whole number from 1 to 1000', pointer: '#/quantity' })
  for (const key of Object.keys(rest)) errors.push({ in: 'body', detail: 'is unknown', pointer: `#/${key}` })
  if (errors.length > 0) throw new Refusal('VALIDATION_FAILED', 'The body does not fit the contract.', errors)
  return { item: item as string, quantity: quantity as number }
}

/** The JSON of a body. @throws {Refusal} if it is none, or too large */
export async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    chunks.push(chunk)
    size += chunk.length
    if (size > 1_100_000) throw new Refusal('VALIDATION_FAILED', 'The body is too large.')
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new Refusal('VALIDATION_FAILED', 'The body is not JSON.')
  }
}
