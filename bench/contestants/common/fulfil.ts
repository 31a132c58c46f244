import { createServer } from 'node:http'
import pg from 'pg'
import { pool as poolOptions, settings } from './settings.ts'

/** The work of a task, as the service's example does it: the order is read, and marked as fulfilled. */
export const fulfilStatements = {
  find: "select id, item, quantity from orders where id = $1 and status = 'placed'",
  fulfil: "update orders set status = 'fulfilled', version = version + 1 where id = $1 and status = 'placed'",
}

/** The orders that wait for their task. */
export async function waitingOrders(): Promise<string[]> {
  const client = new pg.Client(poolOptions)
  await client.connect()
  const { rows } = await client.query<{ id: string }>(
    "select id from orders where status = 'placed' order by id",
  )
  await client.end()
  return rows.map(({ id }) => id)
}

/** Counts tasks down: `all` resolves with the last. */
export function countDown(count: number): { one(): void; all: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = count
  return {
    all: promise,
    one() {
      left -= 1
      if (left === 0) resolve()
    },
  }
}

/**
 * Lets the benchmark say what to do: each command responds when it is over, with the milliseconds that it took, or that it says
 * it took.
 */
export function serveCommands(commands: {
  enqueue(): Promise<void>
  run(): Promise<void>
  /** Enqueues while the workers wait. */
  fanOut?(): Promise<number>
}): void {
  const server = createServer(async (incoming, outgoing) => {
    const started = performance.now()
    try {
      if (incoming.url === '/enqueue') await commands.enqueue()
      if (incoming.url === '/run') await commands.run()
      const ms = incoming.url === '/fan-out' ? await commands.fanOut?.() : undefined
      outgoing.end(String(ms ?? performance.now() - started))
    } catch (error) {
      console.error(error)
      outgoing.writeHead(500).end(String(error))
    }
  })
  server.listen(settings.port)
}
