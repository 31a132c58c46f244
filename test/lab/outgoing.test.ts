import { once } from 'node:events'
import { beforeEach, expect, test } from 'vitest'
import { expectJson, startTarget } from '#test/kit'
import { startLab } from './lab.ts'

const other = await startTarget()
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const start = () => startLab({ GUARD: 'fail' }, ['--import', './dev/guard/preload.ts'])

beforeEach(() => {
  other.received.length = 0
})

test.each(['01', '00'])(
  'a call carries the request’s trace and id, sampled %s, and leaves nothing behind',
  async (flags) => {
    const { api, process } = await start()
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}`, 'X-Request-Id': 'mine' }
    for (let count = 0; count < 2; count++)
      await expectJson(await api('/outgoing', { json: { url: other.url }, headers }))
    const sent = other.received.map((received) => received.headers)
    const spans = sent.map(
      ({ traceparent }) => new RegExp(`^00-${traceId}-([\\da-f]{16})-${flags}$`).exec(`${traceparent}`)?.[1],
    )
    expect(new Set([...spans, '00f067aa0ba902b7']).size, `a span each: ${spans}`).toBe(3)
    expect(sent).toMatchObject(
      Array(2).fill({ 'x-request-id': 'mine', connection: 'close', accept: 'text/plain' }),
    )
    expect(process.child.exitCode).toBe(null)
  },
)

test('a request without a trace begins one', async () => {
  const { api } = await start()
  const response = await api('/outgoing', { json: { url: other.url } })
  await expectJson(response)
  expect(other.received[0]?.headers).toMatchObject({
    traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/),
    'x-request-id': response.headers.get('x-request-id'),
  })
})

test('a call ends with its request: when the deadline comes, and when the client leaves', async () => {
  const { api, process } = await startLab({ REQUEST_TIMEOUT: '2s' })
  for (const leaves of [false, true]) {
    const arrived = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    other.answers = [
      (request) => {
        arrived.resolve()
        void once(request.socket, 'close').then(() => closed.resolve())
      },
    ]
    const client = new AbortController()
    const response = leaves
      ? fetch(`${process.url}/outgoing`, {
          ...{ method: 'POST', signal: client.signal, body: JSON.stringify({ url: other.url }) },
          headers: { 'Content-Type': 'application/json' },
        }).catch(() => undefined)
      : api('/outgoing', { json: { url: other.url } })
    await arrived.promise
    if (leaves) client.abort()
    await closed.promise
    expect((await response)?.status).toBe(leaves ? undefined : 503)
  }
  expect((await api('/ping')).status).toBe(200)
  expect(process.child.exitCode).toBe(null)
})
