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

  function send({ method, url, headers, body, deadline }: Delivery): Promise<Answer> {
    if (closed) return Promise.resolve({ problem: 'closed' })
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const options = { method, headers: { ...headers, 'Content-Length': body?.length ?? 0 } }
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, agent: agents.https })
      : http.request(url, { ...options, agent: agents.http })
    const late = `no answer in ${deadline / 1000} s`
    const disarm = clock.after(deadline, () => request.destroy(new Error(late)))
    const fail = (error: NodeJS.ErrnoException) => resolve({ problem: error.code ?? error.message })
    request.on('error', fail)
    request.on('response', (response) => {
      response.on('end', () => resolve({ status: response.statusCode ?? 0 })).on('error', fail)
      response.resume()
    })
    request.on('close', disarm)
    request.end(body)
    return promise
  }

  function close(): void {
    closed = true
    agents.http.destroy()
    agents.https.destroy()
  }
  return { send, close }
}
