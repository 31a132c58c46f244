import type { Duplex } from 'node:stream'
import pg from 'pg'

/** What `pg` has, and its types leave out. */
interface Wire extends pg.Connection {
  attachListeners(stream: Duplex): void
}

/**
 * A client whose connection ends where its server sends what `pg` cannot read, such as a way to authenticate that it does
 * not know (GSSAPI).
 */
export class GuardedClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    guardWire((this as unknown as { readonly connection: Wire }).connection)
    // pg takes a URL's password, also where it has none, before this
    if (typeof config?.password === 'function') Object.assign(this, { password: config.password })
  }
}

/** Makes an error of a connection of what `pg` throws while it reads: nobody would catch it, and the process would end. */
export function guardWire(connection: pg.Connection): void {
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
