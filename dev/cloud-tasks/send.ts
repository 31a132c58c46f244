import * as http from 'node:http'
import * as https from 'node:https'
import type { Clock } from './clock.ts'

/** One request to a target, with so many milliseconds for its answer. */
interface Delivery extends Readonly<Record<'method' | 'url', string>> {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
  readonly deadline: number
}

/** The answer's status, or 504 and why there is none. */
export type Answer = { readonly status: number; readonly problem?: string }

/** Sends a request over a connection that is kept open, following no redirect; never rejects. */
export type Send = (delivery: Delivery) => Promise<Answer>

/** Sends until `closed`, which cuts what is under way. */
export function createSend(clock: Clock, closed: AbortSignal): Send {
  async function exchange({ method, url, headers, body, deadline }: Delivery): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const { request: begin } = url.startsWith('https:') ? https : http
    const length = { 'Content-Length': body?.length ?? 0 }
    const request = begin(url, { method, headers: { ...headers, ...length }, signal: closed })
    const late = new Error(`no answer in ${deadline / 1000} s`)
    request
      .on(
        'close',
        clock.after(deadline, () => request.destroy(late)),
      )
      .on('error', reject)
    request.on('response', (response) => {
      response.on('end', () => resolve({ status: response.statusCode ?? 0 })).on('error', reject)
      response.resume()
    })
    request.end(body)
    return promise
  }
  return (delivery) =>
    exchange(delivery).catch(({ code, message }) => ({ status: 504, problem: code ?? message }))
}
