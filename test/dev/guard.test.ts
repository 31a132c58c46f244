import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { type Guarded, guarded } from '#dev/guard/guarded.ts'
import { type Postgres, startPostgres } from '#dev/postgres/start.ts'

/** What a handler would fetch from: answers after `?wait=` ms, if at all. */
const other = createServer((request, response) => {
  if (request.url !== '/never') response.end('hello')
})
let otherUrl: string
let postgres: Postgres

beforeAll(async () => {
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  postgres = await startPostgres()
})

afterAll(async () => {
  other.closeAllConnections()
  other.close()
  await postgres.stop()
})

/** Runs `handler` as a request of its own and reads the answer. */
async function request(handler: () => unknown): Promise<Guarded<[]>> {
  const fetch = guarded(async () => {
    await handler()
    return new Response('done')
  })
  await (await fetch(new Request('http://service/orders?x=1'))).text()
  return fetch
}

const here = /guard\.test\.ts/

test('a timer that is left running is reported with the request and the line that started it', async () => {
  let timer: NodeJS.Timeout | undefined
  function leaveTimer() {
    timer = setTimeout(() => {}, 60_000)
  }
  const fetch = await request(leaveTimer)
  await expect(fetch.assertQuiet()).rejects.toThrow(
    /GET \/orders: Timeout is still alive[\s\S]*leaveTimer .*guard\.test\.ts/,
  )
  clearTimeout(timer)
  await fetch.assertQuiet()
})

test('a call that has no response yet is waited for, and judged afterwards', async () => {
  const happened: string[] = []
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const fetch = guarded(async () => {
    const deadline = setTimeout(() => {}, 60_000)
    await gate
    clearTimeout(deadline)
    happened.push('responded')
    return new Response('done')
  })
  const response = fetch(new Request('http://service/orders'))
  const quiet = fetch.assertQuiet().then(() => happened.push('judged'))
  for (let time = 0; time < 3; time++) await (await request(() => {})).assertQuiet() // as long as it judges another
  open()
  await quiet
  expect(happened).toEqual(['responded', 'judged'])
  await response
})

test('a timer of no time at all, and one more that it sets, are over before anything is reported', async () => {
  const setTwo = () => void setTimeout(() => setTimeout(() => {}))
  for (let time = 0; time < 100; time++) await (await request(setTwo)).assertQuiet()
})

test('an interval is reported, even one that does not hold the process', async () => {
  let timer: NodeJS.Timeout | undefined
  const fetch = await request(() => {
    timer = setInterval(() => {}, 60_000).unref()
  })
  await expect(fetch.assertQuiet()).rejects.toThrow(here)
  clearInterval(timer)
  await fetch.assertQuiet()
})

test('a chain of immediates is reported, a single one is not', async () => {
  const once = await request(() => {
    setImmediate(() => {})
  })
  await once.assertQuiet()

  let going = true
  const fetch = await request(() => {
    setImmediate(function again() {
      if (going) setImmediate(again)
    })
  })
  await expect(fetch.assertQuiet()).rejects.toThrow(/Immediate[\s\S]*guard\.test\.ts/)
  going = false
  await fetch.assertQuiet()
})

test('a timer that is set once more after it fired is reported', async () => {
  let timer: NodeJS.Timeout | undefined
  const fetch = await request(async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    timer = setTimeout(resolve, 100)
    await promise
    timer.refresh()
  })
  await expect(fetch.assertQuiet()).rejects.toThrow(/Timeout/)
  clearTimeout(timer)
  await fetch.assertQuiet()
})

test('a fetch that nobody awaits is reported', async () => {
  const controller = new AbortController()
  const fetch = await request(() => {
    globalThis.fetch(`${otherUrl}/never`, { signal: controller.signal }).catch(() => {})
  })
  await expect(fetch.assertQuiet()).rejects.toThrow(/TCPWRAP[\s\S]*guard\.test\.ts/)
  controller.abort()
})

test('a fetch that was awaited, without keep-alive, is not', async () => {
  const fetch = await request(async () => {
    const response = await globalThis.fetch(otherUrl, { headers: { connection: 'close' } })
    expect(await response.text()).toBe('hello')
  })
  await fetch.assertQuiet()
})

test('a connection that an agent keeps is reported', async () => {
  const agent = new Agent({ keepAlive: true })
  const fetch = await request(async () => {
    const [response] = await once(get(otherUrl, { agent }), 'response')
    expect(await text(response)).toBe('hello')
  })
  await expect(fetch.assertQuiet()).rejects.toThrow(/TCPWRAP[\s\S]*guard\.test\.ts/)
  agent.destroy()
  await fetch.assertQuiet()
})

test('timers that were awaited or cleared are not reported', async () => {
  const fetch = await request(async () => {
    await wait(1)
    clearTimeout(setTimeout(() => {}, 60_000))
    clearInterval(setInterval(() => {}, 1))
    gzipSync('hello')
  })
  await fetch.assertQuiet()
})

test('each call has a record of its own', async () => {
  const timers: NodeJS.Timeout[] = []
  const fetch = guarded((request) => {
    if (request.url.endsWith('/leaves')) timers.push(setTimeout(() => {}, 60_000))
    return new Response()
  })
  await Promise.all(
    ['quiet', 'leaves', 'also-quiet'].map((path) => fetch(new Request(`http://service/${path}`))),
  )
  const error = await fetch.assertQuiet().catch(String)
  expect(error).toContain('GET /leaves')
  expect(error).not.toContain('quiet:')
  timers.forEach(clearTimeout)
})

test('connections of a pool to the exempt database are not reported; those to another are', async () => {
  const pools = Array.from(
    { length: 2 },
    () => new pg.Pool({ connectionString: postgres.url, idleTimeoutMillis: 0 }),
  )
  // a pool has ended before its connections have: the server's end may still reach them
  for (const pool of pools) pool.on('error', () => {})
  const [stranger, exempt] = pools as [pg.Pool, pg.Pool]
  const before = await request(() => stranger.query('select 1'))
  await expect(before.assertQuiet()).rejects.toThrow(/TCPWRAP/)
  exemptDatabase(postgres.url)
  const after = await request(() => exempt.query('select 1'))
  await after.assertQuiet()

  // What a request does on a connection that another one opened is its own.
  let timer: NodeJS.Timeout | undefined
  const next = await request(async () => {
    await exempt.query('select 1')
    timer = setTimeout(() => {}, 60_000)
  })
  await after.assertQuiet()
  await expect(next.assertQuiet()).rejects.toThrow(/Timeout/)
  clearTimeout(timer)
  await Promise.all(pools.map((pool) => pool.end()))
})

test('a connection to the exempt database that is still being made is not reported', async () => {
  const silent = createSocketServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  exemptDatabase(`postgres://user:password@localhost:${port}/name`)
  const client = new pg.Client({ host: '127.0.0.1', port })
  const fetch = await request(() => {
    client.connect().catch(() => {})
  })
  await fetch.assertQuiet()
  client.connection.stream.destroy()
  silent.close()
})
