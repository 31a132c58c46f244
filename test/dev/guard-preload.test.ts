import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get, request as open } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test, vi } from 'vitest'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

async function startServer(environment: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ['--import', './dev/guard/preload.ts', 'test/dev/fixtures/server.ts'],
    {
      env: { ...process.env, ...environment },
    },
  )
  children.push(child)
  const server = { child, warnings: '', url: '' }
  child.stderr.on('data', (chunk) => {
    server.warnings += chunk
  })
  const [address] = await once(child.stdout, 'data')
  server.url = `http://127.0.0.1:${JSON.parse(String(address)).port}`
  return server
}

async function read(url: string): Promise<number> {
  const [response] = await once(get(url, { agent }), 'response')
  await text(response)
  return response.statusCode
}

/** Sends half of a body, and the rest only after the answer. */
async function postSlowly(url: string): Promise<number> {
  const request = open(url, { agent, method: 'POST', headers: { 'content-length': 200_000 } })
  request.write('x'.repeat(100_000))
  const [response] = await once(request, 'response')
  await text(response)
  request.end('x'.repeat(100_000))
  await once(request, 'close')
  return response.statusCode
}

/** The answer to SIGUSR2. */
async function idle(server: Awaited<ReturnType<typeof startServer>>) {
  const before = server.warnings.length
  server.child.kill('SIGUSR2')
  const line = await vi.waitFor(() => {
    const found = server.warnings.slice(before).match(/^\{"guard":"idle".*\}\n/m)?.[0]
    if (!found) throw new Error('no answer yet')
    return found
  })
  return JSON.parse(line).leftovers
}

test('normal traffic with keep-alive and gzip goes without a word, and leaves the process idle', async () => {
  const server = await startServer({ GUARD: 'fail' })
  for (let round = 0; round < 20; round++) {
    expect(await read(`${server.url}/quiet`)).toBe(200)
    expect(await read(`${server.url}/hono`)).toBe(200)
    expect(await postSlowly(`${server.url}/hono/refused`)).toBe(401)
  }
  expect(await idle(server)).toEqual([])
  expect(server.child.exitCode).toBeNull()
  expect(server.warnings.replace(/^\{"guard".*\n/gm, '')).toBe('')
})

test('what a request leaves behind is a warning, and part of what is alive when idle', async () => {
  const server = await startServer()
  expect(await read(`${server.url}/leaves?secret=1`)).toBe(200)
  await vi.waitFor(() =>
    expect(server.warnings).toMatch(/GET \/leaves: Timeout is still alive[\s\S]*server\.ts:/),
  )
  expect(server.warnings).not.toContain('secret')
  expect(await read(`${server.url}/quiet`)).toBe(200)
  expect(await idle(server)).toEqual([
    { type: 'Timeout', request: 'GET /leaves', stack: expect.stringContaining('server.ts:') },
  ])
  expect(server.warnings.match(/still alive/g)).toHaveLength(1)
})

test('what a request starts after its response is a warning too', async () => {
  const server = await startServer()
  expect(await read(`${server.url}/later`)).toBe(200)
  await vi.waitFor(() => expect(server.warnings).toMatch(/GET \/later: Timeout is still alive/))
})

test('a response that goes on after its client has left is a warning, one that ends is none', async () => {
  const server = await startServer()
  for (const path of ['/stream/heard', '/stream/deaf']) {
    const request = get(`${server.url}${path}`)
    const [response] = await once(request, 'response')
    await once(response, 'data')
    response.on('error', () => {})
    request.destroy()
    await once(request, 'close')
  }
  await vi.waitFor(
    () => expect(server.warnings).toMatch(/GET \/stream\/deaf: Timeout is still alive/),
    60_000,
  )
  expect(server.warnings).not.toContain('/stream/heard')
})

test('GUARD=fail ends the process with status 70', async () => {
  const { child, url } = await startServer({ GUARD: 'fail' })
  const exit = once(child, 'exit')
  expect(await read(`${url}/leaves?secret=1`)).toBe(200)
  expect(await exit).toEqual([70, null])
})
