import type { Context } from 'hono'
import type { Problem } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import type { MemoryReservation } from './memory-budget.ts'
import type { StreamedResponse } from './streamed-response.ts'

/** A response whose body is complete. */
export interface KnownBody {
  readonly response: Response
  readonly content: string | Uint8Array<ArrayBuffer> | null
  /** In bytes. */
  readonly length: number
  /** The headers that `writeResponse` gave the response. They are all its headers, as long as nobody has read them there. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A header's name, and the function that computes its value for a request. */
export type ComputedHeader = readonly [name: string, compute: (c: Context<BaseEnv>) => string | undefined]

/** What the runtime stores with a request. Features do not see it in `c.var`: see `BaseEnv`. */
export interface RequestState {
  /** The headers of every response. */
  responseHeaders: Record<string, string>
  /** The headers of every response that are not computed yet. */
  computedHeaders: readonly ComputedHeader[] | undefined
  /** Whether a route, or the runtime itself, creates the response. */
  routed: boolean
  /** The path of the route as the contract has it, such as `/orders/{id}`. */
  route: string | undefined
  /** The memory that the request has reserved: see `requestMemory`. */
  memory: MemoryReservation | undefined
  /** The latest problem that became a response. */
  problem: Problem | undefined
  /** The latest response with a complete body: see response.ts. */
  body: KnownBody | undefined
  /** The response whose body is still being created. */
  stream: StreamedResponse | undefined
}

type StateEnv = { Variables: { runtime: RequestState } }

/** The state of the request. It is created at the first call. */
export function stateOf(c: Context): RequestState {
  const { get, set } = c as Context<StateEnv>
  const known = get('runtime')
  if (known) return known
  const state: RequestState = {
    responseHeaders: {},
    computedHeaders: undefined,
    routed: false,
    route: undefined,
    memory: undefined,
    problem: undefined,
    body: undefined,
    stream: undefined,
  }
  set('runtime', state)
  return state
}
