import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'

/** As Google's servers do: a caller that takes its time must not send on a connection that was just closed. */
const keepAliveTimeout = 620_000

interface Options {
  /** Any free port if absent. */
  port?: number
  host?: string
}

/**
 * Serves an app on this machine. `close` closes all connections; a second call does nothing.
 *
 * @throws if the port is taken: EADDRINUSE
 */
export function serve(app: Hono, options: Options = {}) {
  return listen(getRequestListener(app.fetch), options)
}

/** Does the same for a listener of `node:http`. */
export async function listen(listener: RequestListener, options: Options = {}) {
  const { port = 0, host = '127.0.0.1' } = options
  const server = createServer({ keepAliveTimeout }, listener)
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo

  async function close(): Promise<void> {
    if (!server.listening) return
    server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  }
  return { url: `http://${host}:${address.port}`, close }
}
