import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { noteScopes } from '#test/support/notes.ts'
import { expectLog, refusesConnections, startNotes, startService } from '#test/support/process.ts'
import { rawRequest } from '#test/support/raw.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { as } from '#test/support/tokens.ts'

const databaseUrl = await makeDatabase()
const alice = await as('alice', noteScopes)
const tea = JSON.stringify({ text: 'Tea', pages: 2 })
const json = { ...alice, 'Content-Type': 'application/json', 'Content-Length': String(tea.length) }

/** Locks the table of notes, until it is released or the test ends. */
async function lockNotes(): Promise<{ release(): Promise<unknown> }> {
  const session = await openSession(databaseUrl)
  await session.query('begin')
  await session.query('lock table test_notes in access exclusive mode')
  return { release: () => session.query('commit') }
}

/** A way to the database that keeps the last words on each connection. */
async function listenIn(): Promise<{ url: string; lastWords: Buffer[] }> {
  const { hostname, port } = new URL(databaseUrl)
  const lastWords: Buffer[] = []
  const relay = createServer((near) => {
    const index = lastWords.push(Buffer.of()) - 1
    const far = connect(Number(port || 5432), hostname)
    near.on('data', (bytes) => {
      lastWords[index] = bytes
    })
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void relay.close())
  await once(relay, 'listening')
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(relay.address() as AddressInfo).port}`
  return { url: url.href, lastWords }
}

test('a request whose body arrives after SIGTERM is finished, then the process exits with 0', async () => {
  const service = await startNotes({ DATABASE_URL: databaseUrl })
  const { child, dial, exit, lines } = service
  const connection = dial().send(rawRequest('POST /notes', { ...json, Expect: '100-continue' }))
  expect((await connection.answer()).status).toBe(100)
  connection.send(tea.slice(0, 5))

  child.kill('SIGTERM')
  await refusesConnections(service)
  connection.send(tea.slice(5))
  const { status, headers } = await connection.answer()
  expect(status).toBe(201)
  expect(headers.get('connection')).toBe('close')
  await connection.closed
  expect(await exit).toBe(0)
  expect(expectLog(lines).at(-1)).toMatchObject({ message: 'Stopped by SIGTERM', finished: true })
})

test('requests that wait for the database are finished, and its connections closed', async () => {
  const { url, lastWords } = await listenIn()
  const service = await startNotes({ DATABASE_URL: url })
  const lock = await lockNotes()
  const post = service.dial().send(rawRequest('POST /notes', json, tea))
  const get = service.dial().send(rawRequest('GET /notes', alice))
  await lockWaits(databaseUrl, 2)

  service.child.kill('SIGTERM')
  await refusesConnections(service)
  await lock.release()
  for (const [connection, expected] of [
    [post, 201],
    [get, 200],
  ] as const) {
    const { status, headers } = await connection.answer()
    expect(status).toBe(expected)
    expect(headers.get('connection')).toBe('close')
  }
  expect(await service.exit).toBe(0)
  const terminate = Buffer.from('X\0\0\0\x04')
  expect(lastWords).toEqual([terminate, terminate])
})

test('a request that was sent together with the signal is answered', async () => {
  const { child, dial, exit } = await startService()
  child.kill('SIGSTOP') // the signal, the connection and its request all wait for the process to go on
  const connection = dial()
  await once(connection.socket, 'connect')
  connection.send(rawRequest('GET /ping'))
  child.kill('SIGTERM')
  child.kill('SIGCONT')
  expect(await connection.answer()).toMatchObject({ status: 200 })
  await connection.closed
  expect(await exit).toBe(0)
})

test('connections that rest are closed at once', async () => {
  const { child, dial, exit, lines } = await startService()
  const [used, fresh] = [dial(), dial()]
  await once(fresh.socket, 'connect')
  const { headers } = await used.send(rawRequest('GET /ping')).answer()
  expect(headers.get('connection')).toBe('keep-alive')

  child.kill('SIGTERM')
  await Promise.all([used.closed, fresh.closed])
  expect(await exit).toBe(0)
  expect(expectLog(lines).at(-1)).toMatchObject({ finished: true })
})

test('SIGINT drains as well', async () => {
  const service = await startNotes({ DATABASE_URL: databaseUrl })
  const lock = await lockNotes()
  const get = service.dial().send(rawRequest('GET /notes', alice))
  await lockWaits(databaseUrl, 1)
  service.child.kill('SIGINT')
  await refusesConnections(service)
  await lock.release()
  expect((await get.answer()).status).toBe(200)
  expect(await service.exit).toBe(0)
  expect(expectLog(service.lines).at(-1)).toMatchObject({ message: 'Stopped by SIGINT' })
})

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
] as const)('after %s a second signal (%s) does not wait', async (first, second) => {
  const service = await startNotes({ DATABASE_URL: databaseUrl })
  await lockNotes()
  const get = service.dial().send(rawRequest('GET /notes', alice))
  await lockWaits(databaseUrl, 1)
  service.child.kill(first)
  await refusesConnections(service)
  service.child.kill(second)
  expect(await service.exit).toBe(1)
  await expect(get.answer()).rejects.toThrow('Closed without a whole answer')
})

test('what is unfinished after 8 s is cut, and the process still exits with 0', async () => {
  const service = await startNotes({ DATABASE_URL: databaseUrl })
  await lockNotes()
  const half = service.dial().send(rawRequest('POST /notes', { ...json, Expect: '100-continue' }))
  expect((await half.answer()).status).toBe(100)
  half.send(tea.slice(0, 5))
  const stuck = service.dial().send(rawRequest('GET /notes', alice))
  await lockWaits(databaseUrl, 1)

  service.child.kill('SIGTERM')
  await Promise.all([half.closed, stuck.closed])
  expect(await service.exit).toBe(0)
  expect(expectLog(service.lines).at(-1)).toMatchObject({ message: 'Stopped by SIGTERM', finished: false })
  expect(service.lines.join('\n')).toContain('POST /notes 499')
  const cut = expectLog(service.lines).find(({ message }) => message === 'Unfinished requests are cut')
  expect(cut).toMatchObject({ requests: ['POST /notes', 'GET /notes'] })
})

test('a request that is cut has its line, whether or not anything else holds the end up', async () => {
  const { child, dial, exit, lines } = await startNotes({ DATABASE_URL: databaseUrl })
  const half = dial().send(rawRequest('POST /notes', { ...json, Expect: '100-continue' }))
  expect((await half.answer()).status).toBe(100)
  half.send(tea.slice(0, 5))

  child.kill('SIGTERM')
  await half.closed
  expect(await exit).toBe(0)
  expect(expectLog(lines).map(({ message }) => message)).toEqual(
    expect.arrayContaining(['POST /notes 499', 'Stopped by SIGTERM']),
  )
})
