import type { Context } from 'hono'
import type { Problem } from '../kernel/problem.ts'
import type { MemoryReservation } from './memory-budget.ts'
import type { StreamedResponse } from './streamed-response.ts'

/** What the pipeline itself knows of a request. `c.var` shows none of it to a feature: see `BaseEnv`. */
export interface RequestState {
  /** The headers that every response carries. */
  responseHeaders: Record<string, string>
  /** Whether anyone has called `c.header()`. */
  headersSet: boolean
  /** Whether a route, or the runtime itself, makes the response. */
  routed: boolean
  /** What the request holds of the process's memory, once it holds any: see `hold`. */
  memory: MemoryReservation | undefined
  /** The problem of the latest response that is one. */
  problem: Problem | undefined
  /** The response whose body is at hand, with its length in bytes. */
  written: { readonly response: Response; readonly length: number } | undefined
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
    headersSet: false,
    routed: false,
    memory: undefined,
    problem: undefined,
    written: undefined,
    stream: undefined,
  }
  set('runtime', state)
  return state
}
