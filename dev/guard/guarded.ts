import { describe } from './describe.ts'
import { leftovers, type RequestRecord, trackRequest } from './track.ts'

type Fetch<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>

/** A `fetch` whose calls are watched. */
export type Guarded<Rest extends unknown[]> = ((request: Request, ...rest: Rest) => Promise<Response>) & {
  /** Call it when the responses have been read. Rejects with what the calls left behind, and who started it. */
  assertQuiet(): Promise<void>
}

/** Wraps `app.fetch`, for tests without a server. */
export function guarded<Rest extends unknown[]>(fetch: Fetch<Rest>): Guarded<Rest> {
  const records = new Set<RequestRecord>()

  async function guardedFetch(request: Request, ...rest: Rest): Promise<Response> {
    const label = `${request.method} ${new URL(request.url).pathname}`
    const { record, result } = trackRequest(label, () => fetch(request, ...rest))
    records.add(record)
    return result
  }

  async function assertQuiet(): Promise<void> {
    const left = (await Promise.all([...records].map(leftovers))).flat()
    if (left.length > 0) throw new Error(describe(left))
  }

  return Object.assign(guardedFetch, { assertQuiet })
}
