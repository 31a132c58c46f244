import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { type Api, client } from '#test/support/client.ts'
import { makeDatabase } from '#test/support/database.ts'
import { noteScopes } from '#test/support/notes.ts'
import { type ServiceProcess, startNotes } from '#test/support/process.ts'
import { rawRequest } from '#test/support/raw.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { as } from '#test/support/tokens.ts'

// Nothing runs outside a request: a bundle as it is deployed, watched by the guard. Source maps give the guard
// the names that it knows Node's and the server's own timers by.

const databaseUrl = await makeDatabase()
const alice = await as('alice', noteScopes)
const json = { text: 'Tea', pages: 2 }

function startGuarded(environment: Record<string, string> = {}): Promise<ServiceProcess> {
  const args = ['--enable-source-maps', '--import', './dev/guard/preload.ts']
  return startNotes({ DATABASE_URL: databaseUrl, ...environment }, { args })
}

/** What the guard finds alive in the process, once no connection lingers: on a slow machine one may, until its body is here. */
async function leftovers({ child, lines }: ServiceProcess): Promise<unknown> {
  const answers = () => lines.flatMap((line) => /^\{"guard":"idle","leftovers":(.*)\}$/.exec(line)?.[1] ?? [])
  for (;;) {
    const count = answers().length
    child.kill('SIGUSR2')
    await expect.poll(() => answers().length, { timeout: 30_000 }).toBeGreaterThan(count)
    const found = answers().at(-1) ?? ''
    if (!found.includes('/src/runtime/http/linger.ts')) return JSON.parse(found)
  }
}

async function statuses(responses: Promise<Response>[]): Promise<number[]> {
  return Promise.all(
    responses.map(async (answer) => {
      const response = await answer
      await response.arrayBuffer()
      return response.status
    }),
  )
}

/** Asks in all the ways that come to mind. */
async function traffic(api: Api, round: number): Promise<number[]> {
  const write = (headers: Record<string, string> = {}) =>
    api('/notes', { headers: { ...alice, ...headers }, json })
  const written = await write()
  const path = `${written.headers.get('location')}`
  const ETag = `${written.headers.get('etag')}`
  const key = { 'Idempotency-Key': `round-${round}` }
  const first = await write(key)
  return statuses([
    ...[Promise.resolve(written), Promise.resolve(first), write(key)],
    ...[api('/ping'), api('/ready'), api('/openapi.json'), api('/auth/version', { headers: alice })],
    ...[api(path, { headers: alice }), api('/notes?limit=2', { headers: alice })],
    api(path, { headers: { ...alice, 'If-None-Match': ETag } }),
    api(`${path}/close`, { method: 'POST', headers: { ...alice, 'If-Match': '"9"' } }),
    api('/notes', { headers: alice, json: { ...json, pages: 0 } }),
    api('/notes', { headers: alice, body: 'x'.repeat(2 ** 21) }),
    api('/notes', { json }),
    api('/notes', { headers: { Authorization: 'Bearer eyJ.eyJ.x' }, json }),
    ...[api('/nowhere', { body: 'x'.repeat(2 ** 17) }), api('/ping', { method: 'DELETE' })],
    api('/notes', { headers: { ...alice, 'Content-Type': 'text/plain' }, body: 'x'.repeat(2 ** 17) }),
    api('/ping', { headers: { 'X-Forwarded-Proto': 'http' } }),
  ])
}

test('after traffic of all kinds the process is idle', async () => {
  const service = await startGuarded()
  const api = client(service.url)
  for (let round = 0; round < 4; round++) {
    expect(await traffic(api, round)).toEqual([
      ...[201, 201, 201, 200, 200, 200, 200, 200, 200, 304, 412, 400, 413, 401, 401, 404, 405, 415, 400],
    ])
  }
  expect(await leftovers(service)).toEqual([])
  expect(service.child.exitCode).toBeNull()
  expect(service.lines.join('\n')).not.toContain('still alive')
})

test('after clients that left in the middle it is idle too', async () => {
  const service = await startGuarded()
  const session = await openSession(databaseUrl)
  await session.query('begin')
  await session.query('lock table test_notes in access exclusive mode')

  const body = JSON.stringify(json)
  const headers = { ...alice, 'Content-Type': 'application/json', 'Content-Length': String(body.length) }
  const waiting = service.dial().send(rawRequest('POST /notes', headers, body))
  await lockWaits(databaseUrl)
  const half = service.dial().send(rawRequest('POST /notes', { ...headers, Expect: '100-continue' }))
  expect((await half.answer()).status).toBe(100)
  half.send(body.slice(0, 5)).socket.destroy()
  waiting.socket.destroy()
  const left = () => service.lines.filter((line) => line.includes('POST /notes 499'))
  await expect.poll(() => left().length).toBe(2)
  await session.query('commit')
  await client(service.url)('/ready')

  expect(await leftovers(service)).toEqual([])
  expect(service.lines.join('\n')).not.toContain('still alive')
})

test('a connection that is kept for the next request leaves nothing behind', async () => {
  const service = await startGuarded()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of ['/ping', '/openapi.json', '/ready']) {
    const headers = { 'Accept-Encoding': 'gzip' }
    const [response] = await once(get(`${service.url}${path}`, { agent, headers }), 'response')
    expect(response.headers['content-encoding']).toBe(path === '/openapi.json' ? 'gzip' : undefined)
    await text(response)
  }
  expect(await leftovers(service)).toEqual([])
  agent.destroy()
})
