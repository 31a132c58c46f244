import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * Above the ports that people choose for services, and above 10080, the last one that `fetch` and browsers refuse. Below
 * those that operating systems assign by themselves.
 */
const [lowest, highest] = [10_100, 32_000]

/**
 * A TCP port that nobody listens on. No system assigns a port of this range to a connection, or to a server that listens
 * on port 0. So it stays free until it is used, unless somebody else draws the same.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      const port = await listenBriefly(randomInt(lowest, highest))
      return await listenBriefly(port, '127.0.0.1')
    } catch (error) {
      if (attempt === 100) throw error
    }
  }
}

/**
 * Makes sure that a server could listen on a port, on every address, and that browsers and `fetch` would call it.
 *
 * @param given what PORT says
 * @throws what prevents it, and what to do, in words for a person
 */
export async function assertPortIsFree(given: number | string): Promise<void> {
  const port = Number(given)
  if (port === 0)
    throw new Error(
      `PORT=${given} cannot be used: callers must know the port. Choose one: PORT=8080 npm run dev`,
    )
  try {
    await listenBriefly(port)
    // Some systems let a second server listen on every address beside one that listens on this one only.
    await listenBriefly(port, '127.0.0.1')
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!taken)
      throw new Error(`PORT=${given} cannot be used: ${error instanceof Error ? error.message : error}`)
    const problem = `Port ${port} is already in use. Stop the program that listens there, or choose another:`
    throw new Error(`${problem} PORT=${await nextFreePort(port)} npm run dev`)
  }
  if (await isBlocked(port)) {
    const problem = 'Browsers and fetch send no requests to it, since other protocols use it. Choose another:'
    throw new Error(`PORT=${given} cannot be used. ${problem} PORT=${await nextFreePort(port)} npm run dev`)
  }
}

async function nextFreePort(port: number): Promise<number> {
  for (let next = port + 1; next < Math.min(port + 100, 65_536); next++) {
    const free = await listenBriefly(next).catch(() => undefined)
    if (free && !(await isBlocked(free))) return free
  }
  return freePort()
}

/** Whether `fetch` refuses a port that nobody listens on: https://fetch.spec.whatwg.org/#port-blocking */
async function isBlocked(port: number): Promise<boolean> {
  const error: unknown = await fetch(`http://127.0.0.1:${port}`).catch(({ cause }) => cause)
  return error instanceof Error && error.message === 'bad port'
}

async function listenBriefly(port: number, host?: string): Promise<number> {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return address.port
}
