import * as http from 'node:http'
import * as https from 'node:https'
import type { Clock } from './clock.ts'

/** One request to a target, without its answer's body. */
export interface Delivery {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Milliseconds. */
  readonly deadline: number
}

/** The answer's status, or why there is none. */
export type Answer = { readonly status: number } | { readonly problem: string }

/** Sends requests over connections that are kept open; redirects are not followed. */
export interface Sender {
  send(delivery: Delivery): Promise<Answer>
  /** Cuts what is under way, and sends no more. */
  close(): void
}

/** A sender whose deadlines go by this clock. */
export function createSender(clock: Clock): Sender {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) }
  let closed = false

  function exchange({ method, url, headers, body, deadline }: Delivery): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const options = { method, headers: { ...headers, 'Content-Length': body?.length ?? 0 } }
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, agent: agents.https })
      : http.request(url, { ...options, agent: agents.http })
    const late = `no answer in ${deadline / 1000} s`
    const disarm = clock.after(deadline, () => request.destroy(new Error(late)))
    request.on('close', disarm).on('error', reject)
    request.on('response', (response) => {
      response.on('end', () => resolve({ status: response.statusCode ?? 0 })).on('error', reject)
      response.resume()
    })
    request.end(body)
    return promise
  }

  async function send(delivery: Delivery): Promise<Answer> {
    if (closed) return { problem: 'closed' }
    try {
      return await exchange(delivery)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return { problem: 'code' in error ? `${error.code}` : error.message }
    }
  }

  function close(): void {
    closed = true
    agents.http.destroy()
    agents.https.destroy()
  }
  return { send, close }
}
