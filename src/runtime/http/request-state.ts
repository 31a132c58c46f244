import type { Context } from 'hono'
import type { Problem } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import type { MemoryReservation } from './memory-budget.ts'
import type { StreamedResponse } from './streamed-response.ts'

/** A response whose body is at hand. */
export interface KnownBody {
  readonly response: Response
  /** Bytes. */
  readonly length: number
}

/** A header's name, and what computes its value for a request. */
export type ComputedHeader = readonly [name: string, compute: (c: Context<BaseEnv>) => string | undefined]

/** What the pipeline itself knows of a request. `c.var` shows none of it to a feature: see `BaseEnv`. */
export interface RequestState {
  /** The headers that every response carries. */
  responseHeaders: Record<string, string>
  /** Those of them that are still to be computed. */
  computedHeaders: readonly ComputedHeader[] | undefined
  /** Whether a route, or the runtime itself, makes the response. */
  routed: boolean
  /** What the request holds of the process's memory, once it holds any: see `hold`. */
  memory: MemoryReservation | undefined
  /** The problem of the latest response that is one. */
  problem: Problem | undefined
  /** The latest response whose body was at hand: see response.ts. */
  body: KnownBody | undefined
  /** The response whose body is still being made. */
  stream: StreamedResponse | undefined
}

type StateEnv = { Variables: { runtime: RequestState } }

/** The state of this request. It is created when it is first asked for. */
export function stateOf(c: Context): RequestState {
  const { get, set } = c as Context<StateEnv>
  const known = get('runtime')
  if (known) return known
  const state: RequestState = {
    responseHeaders: {},
    computedHeaders: undefined,
    routed: false,
    memory: undefined,
    problem: undefined,
    body: undefined,
    stream: undefined,
  }
  set('runtime', state)
  return state
}
