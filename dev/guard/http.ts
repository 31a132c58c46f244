import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { enterRequest, type Leftover, leftovers, type RequestRecord, startTracking } from './track.ts'

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

/**
 * Watches the requests to every `node:http` server of this process.
 *
 * @param onLeftovers called for a request whose response has been sent while something it started is alive, or
 *   that starts something afterwards; once a request
 */
export function guardServers(onLeftovers: (left: readonly Leftover[]) => void): void {
  startTracking()
  const records = new WeakMap<ServerResponse, RequestRecord>()

  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as Exchange
    records.set(response, enterRequest(`${request.method} ${request.url?.split('?')[0]}`))
  })

  subscribe('http.server.response.finish', (message) => {
    const record = records.get((message as Exchange).response)
    if (record) void judge(record)
  })

  async function judge(record: RequestRecord): Promise<void> {
    record.onStart = undefined
    const left = await leftovers(record)
    if (left.length > 0) onLeftovers(left)
    else record.onStart = () => void judge(record)
  }
}
