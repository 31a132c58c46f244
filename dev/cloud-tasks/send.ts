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
  /** Cuts what is under way. */
  close(): void
}

/** A sender whose deadlines go by this clock. */
export function createSender(clock: Clock): Sender {
  const plain = new http.Agent({ keepAlive: true })
  const secure = new https.Agent({ keepAlive: true })
  let closed = false

  function send(delivery: Delivery): Promise<Answer> {
    const { method, url, headers, body, deadline } = delivery
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const options = { method, headers: { ...headers, 'Content-Length': body?.length ?? 0 } }
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, agent: secure })
      : http.request(url, { ...options, agent: plain })
    const late = `no answer in ${deadline / 1000} s`
    const disarm = clock.after(deadline, () => request.destroy(new Error(late)))
    const end = (answer: Answer | Promise<Answer>) => {
      disarm()
      resolve(answer)
    }
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The target may close an idle connection in the moment of its reuse, which is no answer of the target's.
      const unheard = request.reusedSocket && error.code === 'ECONNRESET' && !closed
      end(unheard ? send(delivery) : { problem: error.code ?? error.message })
    })
    request.on('response', (response) => {
      response.on('end', () => end({ status: response.statusCode ?? 0 }))
      response.on('error', (error) => end({ problem: error.message }))
      response.resume()
    })
    request.end(body)
    return promise
  }

  function close(): void {
    closed = true
    plain.destroy()
    secure.destroy()
  }
  return { send, close }
}
