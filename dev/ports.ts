import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** A TCP port of 127.0.0.1 that nobody listens on right now. */
export function freePort(): Promise<number> {
  return listenBriefly(0, '127.0.0.1')
}

/**
 * Makes sure that a server could listen on a port, on every address.
 *
 * @param given what PORT says
 * @throws what holds it up, and what to do, in words for a person
 */
export async function assertPortIsFree(given: number | string): Promise<void> {
  const port = Number(given)
  try {
    await listenBriefly(port)
    // Some systems let a second server listen on every address beside one that listens on this one only.
    await listenBriefly(port, '127.0.0.1')
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!taken)
      throw new Error(`PORT=${given} cannot be used: ${error instanceof Error ? error.message : error}`)
    const problem = `Port ${port} is already in use. Stop what listens there, or choose another:`
    throw new Error(`${problem} PORT=${port + 1} npm run dev`)
  }
}

async function listenBriefly(port: number, host?: string): Promise<number> {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return address.port
}
