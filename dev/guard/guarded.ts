import { describe } from './describe.ts'
import { leftovers, type RequestRecord, trackRequest } from './track.ts'

type Fetch<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>

/** A `fetch` whose calls are watched. */
export type Guarded<Rest extends unknown[]> = ((request: Request, ...rest: Rest) => Promise<Response>) & {
  /**
   * Call it when the responses have been read. It waits for calls that have no response yet, such as those that a browser
   * has just left. Rejects with what the calls left behind, and who started it.
   */
  assertQuiet(): Promise<void>
}

/** Wraps `app.fetch`, for tests without a server. */
export function guarded<Rest extends unknown[]>(fetch: Fetch<Rest>): Guarded<Rest> {
  const records = new Set<RequestRecord>()
  const running = new Set<Promise<unknown>>()

  async function guardedFetch(request: Request, ...rest: Rest): Promise<Response> {
    const label = `${request.method} ${new URL(request.url).pathname}`
    const { record, result } = trackRequest(label, () => fetch(request, ...rest))
    records.add(record)
    const response = Promise.resolve(result)
    running.add(response)
    const forget = () => running.delete(response)
    response.then(forget, forget)
    return response
  }

  async function assertQuiet(): Promise<void> {
    await Promise.allSettled(running)
    const left = (await Promise.all([...records].map(leftovers))).flat()
    if (left.length > 0) throw new Error(describe(left))
  }

  return Object.assign(guardedFetch, { assertQuiet })
}
