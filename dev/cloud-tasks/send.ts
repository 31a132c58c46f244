import * as http from 'node:http'
import * as https from 'node:https'
import type { Clock } from './clock.ts'

/** One request to a target. */
interface Delivery {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
  /** Milliseconds. */
  readonly deadline: number
}

/** The answer's status, or 504 and why there is none. */
export type Answer = { readonly status: number; readonly problem?: string }

/** Sends a request and gives its answer's status; never rejects. */
export type Send = (delivery: Delivery) => Promise<Answer>

/** Sends over connections that are kept open, until `closed`, which cuts them. Redirects are not followed. */
export function createSend(clock: Clock, closed: AbortSignal): Send {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) }
  closed.addEventListener('abort', () => {
    agents.http.destroy()
    agents.https.destroy()
  })

  async function status({ method, url, headers, body, deadline }: Delivery): Promise<number> {
    closed.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const options = { method, headers: { ...headers, 'Content-Length': body?.length ?? 0 } }
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, agent: agents.https })
      : http.request(url, { ...options, agent: agents.http })
    const late = new Error(`no answer in ${deadline / 1000} s`)
    const disarm = clock.after(deadline, () => request.destroy(late))
    request.on('close', disarm).on('error', reject)
    request.on('response', (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject)
      response.resume()
    })
    request.end(body)
    return promise
  }

  return async function send(delivery) {
    try {
      return { status: await status(delivery) }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return { status: 504, problem: code ?? message }
    }
  }
}
