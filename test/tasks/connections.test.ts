import { once } from 'node:events'
import { beforeEach, expect, test } from 'vitest'
import { startGoogle } from '#test/support/google.ts'
import { dialer, rawRequest } from '#test/support/raw.ts'
import { stepProcess } from '#test/support/step-process.ts'
import { as } from '#test/support/tokens.ts'

// The connections to Cloud Tasks, over TLS: requests that run at once share them, and none is open when no request runs.

const google = await startGoogle()
const guard = ['--import', './dev/guard/preload.ts'] // ends a process whose request leaves something behind
const service = await stepProcess({ ...google.environment, GUARD: 'fail' }, [...guard, ...google.args])
google.emulatorUrl = service.emulator.url
const alice = await as('alice', [])

beforeEach(async () => {
  await service.reset()
  google.calls.length = 0
  google.closes = () => false
  await service.start()
})

const sockets = () => google.calls.map(({ socket }) => socket)
const enqueue = async (text: string) => expect((await service.enqueue(text))?.status).toBe(201)
const closed = () => Promise.all(sockets().map((socket) => socket.closed || once(socket, 'close')))

/** A request that runs until the test sends its body. */
function holdRequest() {
  const body = JSON.stringify({ text: 'Held' })
  const headers = { ...alice, 'Content-Type': 'application/json', 'Idempotency-Key': 'Held' }
  const connection = dialer(Number(new URL(service.process.url).port))()
  connection.send(rawRequest('POST /steps', { ...headers, 'Content-Length': `${body.length}` }))
  return {
    release: async () => expect((await connection.send(body).answer()).status).toBe(201),
    leave: () => connection.socket.destroy(),
  }
}

async function expectQueued(count: number): Promise<void> {
  expect((await service.left()).tasks).toEqual(Array(count).fill('queued 1/0'))
  expect(service.process.child.exitCode).toBe(null)
}

test('requests one after another: each closes its connection, and resumes the TLS session of the one before', async () => {
  for (const text of ['Tea', 'Coffee', 'Milk']) {
    await enqueue(text)
    await closed()
  }
  expect(new Set(sockets()).size).toBe(3)
  expect(google.calls.slice(1).map(({ resumed }) => resumed)).toEqual([true, true])
  await expectQueued(3)
})

test('while another request runs, a connection is used again; it closes with the last request', async () => {
  const { release } = holdRequest()
  for (const text of ['Tea', 'Coffee', 'Milk']) await enqueue(text)
  expect(new Set(sockets()).size).toBe(1)
  expect(sockets()[0]?.closed).toBe(false)
  await release()
  await closed()
  await expectQueued(4)
})

test('the connections close when the client of the last request has left', async () => {
  const { leave } = holdRequest()
  await enqueue('Tea')
  expect(sockets()[0]?.closed).toBe(false)
  leave()
  await closed()
  await expectQueued(1)
})

test('a connection that Cloud Tasks closes while it is idle: the next call has another', async () => {
  const { release } = holdRequest()
  await enqueue('Tea')
  const [first] = sockets()
  first?.destroy()
  await closed()
  await enqueue('Coffee')
  expect(sockets()[1]).not.toBe(first)
  await release()
  await expectQueued(3)
})

test('a connection that closes when a call is sent on it: the call is sent again, on another', async () => {
  const { release } = holdRequest()
  await enqueue('Tea')
  const [first] = sockets()
  let closed = 0
  google.closes = (socket) => socket === first && ++closed > 0
  await enqueue('Coffee')
  expect(closed).toBe(1)
  expect(sockets()).toHaveLength(2)
  expect(sockets()[1]).not.toBe(first)
  await release()
  await expectQueued(3)
})

test('a new connection that closes when a call is sent on it: the call is not sent again, and the task is left to the tick', async () => {
  let closed = 0
  google.closes = () => ++closed > 0
  await enqueue('Tea')
  expect(closed).toBe(1)
  expect((await service.left()).tasks).toEqual(['pending 1/0'])
})
