import type { Duplex } from 'node:stream'
import pg from 'pg'

/** A method that `pg` has, but does not declare in its types. */
interface Wire extends pg.Connection {
  attachListeners(stream: Duplex): void
}

/**
 * A client of `pg` whose connection ends when the server sends a message that `pg` cannot read, such as a request to
 * authenticate by GSSAPI.
 */
export class GuardedClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    guardConnection((this as unknown as { readonly connection: Wire }).connection)
    // pg prefers the URL's password, even if the URL has none
    if (typeof config?.password === 'function') Object.assign(this, { password: config.password })
  }
}

/** Turns what `pg` throws while it reads into an error of the connection. Otherwise it would end the process. */
export function guardConnection(connection: pg.Connection): void {
  const wire = connection as Wire
  const attach = wire.attachListeners.bind(wire)
  wire.attachListeners = (stream) => {
    const before = stream.listeners('data')
    attach(stream)
    for (const read of stream.listeners('data').filter((listener) => !before.includes(listener))) {
      stream.off('data', read as (bytes: Buffer) => void)
      stream.on('data', (bytes: Buffer) => {
        try {
          read.call(stream, bytes)
        } catch (cause) {
          stream.destroy(new Error('What the database sent cannot be read', { cause }))
        }
      })
    }
  }
}
