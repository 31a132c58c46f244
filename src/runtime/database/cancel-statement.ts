import pg from 'pg'
import { guardConnection } from './guarded-client.ts'

/** Properties of a connection that `pg` has, but does not declare in its types. */
interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly ssl: pg.ClientConfig['ssl']
  readonly sslNegotiation: string
  readonly processID: number | null
  readonly secretKey: number | null
}

interface Wire extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number | null, secretKey: number | null): void
}

/**
 * Cancels the statement that runs on a connection. PostgreSQL takes the request to cancel on a second connection.
 *
 * @returns `done` resolves when the server has closed the second connection, or when it failed. `stop` closes it
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function cancelStatement(client: pg.PoolClient): { done: Promise<void>; stop: () => void } {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as ServerAddress
  const options = { ssl, sslNegotiation } as ConstructorParameters<typeof pg.Connection>[0]
  const wire = new pg.Connection(options) as Wire
  guardConnection(wire)
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const send = () => wire.cancel(processID, secretKey)
  wire.on('error', () => resolve())
  wire.once('end', resolve)
  wire.once('sslconnect', send)
  if (!ssl) wire.once('connect', send)
  else if (sslNegotiation !== 'direct') wire.once('connect', () => wire.requestSsl())
  if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`)
  else wire.connect(port, host)
  return { done, stop: () => void wire.stream.destroy() }
}
