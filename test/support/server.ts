import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'
import { createApp, problemFormat, responseHeaders } from '#src/app.ts'
import { createHttpServer } from '#src/runtime/http/server.ts'
import { type Api, client } from './client.ts'
import { type Dial, dialer } from './raw.ts'
import { type TestService, testService, withSeams } from './service.ts'

/** A service of this process behind a real server. */
export interface TestServer extends Omit<TestService, 'app' | 'as'> {
  readonly server: Server
  readonly url: string
  /** Asks over HTTP, without a token. */
  readonly api: Api
  /** Opens a connection for bytes of one's own. */
  readonly dial: Dial
}

/** Makes a service as `testService` does, and serves it on a free port until the file ends. */
export async function testServer(options: Parameters<typeof testService>[0] = {}): Promise<TestServer> {
  const { environment: _environment, databaseUrl: _databaseUrl, ...given } = options
  const dependencies = withSeams(given)
  const service = await testService(options)
  const { config, database, log } = service
  const app = createApp({ config, database, log, ...dependencies })
  const { server } = createHttpServer({
    app,
    format: dependencies.format ?? problemFormat,
    headers: dependencies.headers ?? responseHeaders,
    log,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(async () => {
    server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return { ...service, server, url, api: client(url), dial: dialer(port) }
}
