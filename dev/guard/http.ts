import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  afterwards,
  enterRequest,
  type Leftover,
  leftovers,
  type RequestRecord,
  startTracking,
} from './track.ts'

/** How long a response may continue after its client left: twice what the service gives a stream. */
const graceMs = 2000

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

/**
 * Watches the requests to every `node:http` server of this process.
 *
 * @param onLeftovers called for a request whose response has been sent while something it started is alive, or
 *   that starts something afterwards, or whose client left before the end of its response; once a request
 */
export function guardServers(onLeftovers: (left: readonly Leftover[]) => void): void {
  startTracking()
  const records = new WeakMap<ServerResponse, RequestRecord>()

  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as Exchange
    const record = enterRequest(`${request.method} ${request.url?.split('?')[0]}`)
    records.set(response, record)
    response.once('close', () => {
      if (response.headersSent && !response.writableFinished) afterwards(graceMs, () => void judge(record))
    })
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
