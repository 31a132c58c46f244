import type { RequestListener } from 'node:http'
import { beforeEach, expect, test } from 'vitest'
import { startGoogle } from '#test/support/google.ts'
import { stepProcess } from '#test/support/step-process.ts'

// The bundle as it is on Cloud Run: it asks the metadata server for a token, and calls Cloud Tasks over TLS with it.
// Whatever the metadata server does, the caller gets its 201, nothing is left behind the request, the process lives, and
// the tick sends the task later.

const google = await startGoogle()
const guard = ['--import', './dev/guard/preload.ts'] // ends a process whose request leaves something behind
const service = await stepProcess({ ...google.environment, GUARD: 'fail' }, [...guard, ...google.args])
google.emulatorUrl = service.emulator.url

beforeEach(async () => {
  await service.reset()
  google.calls.length = 0
  google.metadata = google.grant()
  await service.start()
})

const tasks = async () => (await service.left()).tasks
const enqueue = async (text: string) => expect((await service.enqueue(text))?.status).toBe(201)
/** Ends the process, whose connections others would use again, and starts another. */
async function restart(environment: Record<string, string> = {}) {
  const { child, exit } = service.process
  child.kill('SIGKILL')
  await exit
  return service.start(environment)
}
const severe = () => service.process.lines.filter((line) => /"severity":"(ERROR|CRITICAL)"/.test(line))

/** Expects that all is well in the end: delivered, once to effect, by a process that never ended. */
async function expectDone(...texts: string[]): Promise<void> {
  const { child } = service.process
  await service.finish()
  expect(await service.written()).toEqual(texts.toSorted())
  expect(new Set((await service.ledger()).map((row) => `${row.state} ${row.attempts}`))).toEqual(
    new Set(['done 1']),
  )
  expect([child.exitCode, child.signalCode, severe()]).toEqual([null, null, []])
}

/** A metadata server whose response the test gives: resolves when it was asked. */
function hold() {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  google.metadata = async (request, response) => {
    asked.resolve()
    await answer.promise
    google.grant()(request, response)
  }
  return { asked: asked.promise, answer: () => answer.resolve() }
}

test('a call carries the account’s token, which is looked up once for all', async () => {
  const before = google.lookUps
  await Promise.all(['Tea', 'Coffee', 'Milk', 'Water'].map(enqueue))
  await enqueue('Juice')
  expect(google.lookUps - before).toBe(1)
  expect(new Set(google.calls.map(({ token, status }) => `${token} ${status}`)).size).toBe(1)
  expect(await tasks()).toEqual(Array(5).fill('queued 1/0'))
  await expectDone('Tea', 'Coffee', 'Milk', 'Water', 'Juice')
})

test('a token that comes too late at the start: the request ends, the process lives, and the tick sends', async () => {
  const { asked, answer } = hold()
  const response = service.enqueue('Tea')
  await asked
  expect((await response)?.status).toBe(201)
  expect(await tasks()).toEqual(['pending 1/0'])
  expect(google.calls).toEqual([])
  answer() // to nobody
  google.metadata = google.grant()
  await expectDone('Tea')
})

test('three that hang, on one look-up, do not keep the tick from its own', async () => {
  await restart({ GUARD: '' }) // the last to leave ends what the first has begun
  const { asked } = hold()
  const responses = ['Tea', 'Coffee', 'Milk'].map((text) => service.enqueue(text))
  await asked
  for (const response of await Promise.all(responses)) expect(response?.status).toBe(201)
  google.metadata = google.grant()
  await service.advance(31_000)
  expect(await service.tick()).toBe(200)
  expect(await tasks()).toEqual(Array(3).fill('queued 1/0'))
  await expectDone('Tea', 'Coffee', 'Milk')
})

const flavoured = { 'Metadata-Flavor': 'Google' }
const token = { access_token: 'none', expires_in: 3600 }
const send =
  (status: number, headers: Record<string, string>, body = ''): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body)

const wrong: [what: string, metadata: RequestListener][] = [
  ['a 500', send(500, flavoured, 'Internal Server Error')],
  ['a 404, as where there is no account', send(404, flavoured, 'not found')],
  ['HTML', send(200, { ...flavoured, 'Content-Type': 'text/html' }, '<html>Hello</html>')],
  ['a token without an end', send(200, flavoured, '{"access_token":"none"}')],
  ['a token that ended', send(200, flavoured, '{"access_token":"none","expires_in":-1}')],
  ['no token', send(200, flavoured, '{"expires_in":3600}')],
  ['null', send(200, flavoured, 'null')],
  ['nothing', send(200, flavoured)],
  ['a redirect', send(302, { Location: 'http://127.0.0.1:1/' })],
  ['a server that is another', send(200, {}, JSON.stringify(token))],
  ['no end of it', send(200, flavoured, JSON.stringify({ ...token, more: 'x'.repeat(1 << 20) }))],
  ['a cut', ({ socket }) => void socket.destroy()],
  [
    'half a response',
    ({ socket }, response) => {
      response.writeHead(200, { ...flavoured, 'Content-Length': '100' }).write('{"access_')
      setImmediate(() => socket.destroy())
    },
  ],
]

test.each(wrong)('wrong at the start, and when it is to be renewed: %s', async (_what, metadata) => {
  google.metadata = metadata
  const atStart = google.lookUps
  await enqueue('Tea')
  await enqueue('Coffee')
  expect(google.lookUps - atStart, 'a failure speaks for the next ones').toBe(1)
  expect(await tasks()).toEqual(Array(2).fill('pending 1/0'))
  expect(service.process.lines.join('\n')).toContain(
    'The access token of the service’s account cannot be fetched',
  )
  google.metadata = google.grant()
  google.later(5000)
  await expectDone('Tea', 'Coffee')

  await enqueue('Milk')
  google.metadata = metadata
  google.later(3400_000)
  const atRenewal = google.lookUps
  await enqueue('Juice')
  await enqueue('Water')
  expect(google.lookUps - atRenewal).toBe(1)
  expect((await tasks()).slice(-3)).toEqual(Array(3).fill('queued 1/0'))
  google.later(195_000) // now it has ended
  await enqueue('Wine')
  expect((await tasks()).at(-1)).toBe('pending 1/0')
  google.metadata = google.grant()
  google.later(5000)
  await expectDone('Tea', 'Coffee', 'Milk', 'Juice', 'Water', 'Wine')
})

test('slow when it is to be renewed: the old token is good, and the next ones do not wait', async () => {
  await enqueue('Tea')
  google.later(3400_000)
  const { asked } = hold()
  const slow = enqueue('Coffee')
  await asked
  await enqueue('Milk')
  await slow
  expect(await tasks()).toEqual(Array(3).fill('queued 1/0'))
  expect(new Set(google.calls.map(({ token }) => token)).size).toBe(1)
  await expectDone('Tea', 'Coffee', 'Milk')
})

test('in time, a new token takes the place of the old one', async () => {
  await enqueue('Tea')
  google.later(3400_000)
  await enqueue('Coffee')
  expect(new Set(google.calls.map(({ token }) => token)).size).toBe(2)
  await expectDone('Tea', 'Coffee')
})

test('a token that Cloud Tasks refuses is not used again', async () => {
  await enqueue('Tea')
  google.revoke()
  await enqueue('Coffee')
  expect((await tasks()).at(-1)).toBe('pending 1/0')
  await enqueue('Milk')
  expect(google.calls.map(({ status }) => status)).toEqual([200, 401, 200])
  await expectDone('Tea', 'Coffee', 'Milk')
})

test('a hand-over that is cut when Cloud Tasks has the task already: nothing is done twice', async () => {
  service.emulator.faults.set({ createTimesOut: { times: 1 } })
  await enqueue('Tea')
  expect(await service.left()).toEqual({ tasks: ['pending 1/0'], deliveries: 1 })
  await service.advance(31_000)
  expect(await service.tick()).toBe(200)
  expect(google.calls.at(-1)?.status).toBe(409)
  await expectDone('Tea')
})

test('a metadata server that is gone, at the renewal and at the start', async () => {
  await enqueue('Tea')
  await google.leave()
  google.later(3400_000)
  await enqueue('Coffee')
  expect(await tasks()).toEqual(Array(2).fill('queued 1/0'))
  await expectDone('Tea', 'Coffee')

  const { child, lines } = await restart()
  await enqueue('Milk')
  expect((await tasks()).at(-1)).toBe('pending 1/0')
  expect(lines.join('\n')).toContain('ECONNREFUSED')
  expect((await service.api('/ping')).status).toBe(200)
  expect(child.exitCode).toBe(null)
})
