import * as http from 'node:http'
import * as https from 'node:https'
import type { Clock } from './clock.ts'

/** One request to a target. `deadline` is how many milliseconds the target has to respond. */
interface Delivery extends Readonly<Record<'method' | 'url', string>> {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
  readonly deadline: number
}

/** The status and the start of the response, or 504 and why there is no response. */
export type Sent = { readonly status: number; readonly response?: string; readonly problem?: string }

/** How much of a response is kept, in characters. */
const keptLength = 10_000

/** Sends a request over a connection that is kept open. It follows no redirect, and never rejects. */
export type Send = (delivery: Delivery) => Promise<Sent>

/** Creates what sends requests until `closed`, which aborts those that are in flight. */
export function createSend(clock: Clock, closed: AbortSignal): Send {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) }
  closed.addEventListener('abort', () => {
    agents.http.destroy()
    agents.https.destroy()
  })

  async function exchange({ method, url, headers, body, deadline }: Delivery): Promise<Sent> {
    closed.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Sent>()
    const options = { method, headers: { ...headers, 'Content-Length': body?.length ?? 0 } }
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, agent: agents.https })
      : http.request(url, { ...options, agent: agents.http })
    const late = `no response in ${deadline / 1000} s`
    const cancel = clock.after(deadline, () => request.destroy(new Error(late)))
    request.on('close', cancel).on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (text.length < keptLength) text += chunk
      })
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, response: text.slice(0, keptLength) })
      })
      response.on('error', reject)
    })
    request.end(body)
    return promise
  }
  return (delivery) =>
    exchange(delivery).catch(({ code, message }) => ({ status: 504, problem: code ?? message }))
}
