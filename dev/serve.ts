import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'

/**
 * Serves an app on this machine. `close` cuts what is still open; a second time it does nothing.
 *
 * @param options.port any free one if absent
 * @throws if the port is taken: EADDRINUSE
 */
export async function serve(app: Hono, options: { port?: number; host?: string } = {}) {
  const { port = 0, host = '127.0.0.1' } = options
  const server = createServer(getRequestListener(app.fetch))
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
