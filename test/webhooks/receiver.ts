import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { atEnd } from '#test/kit'

/** A request that a receiver got. */
export interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver of webhooks on this machine. */
export interface Receiver {
  readonly url: string
  readonly received: Received[]
  /** Does this in place of a 204, until something else is to be done. */
  respond(how: (response: ServerResponse, request: IncomingMessage) => void): void
  /** The requests since the last call. */
  take(): Received[]
}

/** Starts a receiver on a free port. It ends with the test, or with the file. */
export async function startReceiver(): Promise<Receiver> {
  let how: Parameters<Receiver['respond']>[0] = (response) => void response.writeHead(204).end()
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    received.push({ method: request.method, path: request.url, headers: request.headers, body })
    how(response, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    respond: (next) => {
      how = next
    },
    take: () => received.splice(0),
  }
}

/** Responds with a status, and with nothing else. */
export function status(code: number, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => void response.writeHead(code, headers).end()
}

/** What a receiver reads, as the library of Standard Webhooks does. @throws if no signature is of this secret */
export function verified(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>)
}
