import { once } from 'node:events'
import { beforeEach, expect, test } from 'vitest'
import { tracedFetch } from '#src/runtime/http/traced-fetch.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { startTarget } from '#test/support/emulator.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const other = await startTarget()
let init: RequestInit = {}
const call = handlePlain({ method: 'get', path: '/call', security: 'public' }, async (c) => {
  const response = await tracedFetch(other.url, init).catch((error: Error) => error)
  return c.text(response instanceof Error ? response.message : await response.text())
})
const { api } = await testService({ databaseUrl: noDatabase, features: [featureOf(call)] })

beforeEach(() => {
  other.received.length = 0
  init = {}
})

test('headers that are given stay as they are', async () => {
  const given = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, 'x-request-id': 'given' }
  init = { headers: given }
  await (await api('/call', { headers: { 'X-Request-Id': 'mine' } })).text()
  expect(other.received[0]?.headers).toMatchObject(given)
})

test('a signal that is given ends the call, and the request goes on', async () => {
  const controller = new AbortController()
  init = { signal: controller.signal }
  const closed = Promise.withResolvers<void>()
  other.answers = [
    (request) => {
      void once(request.socket, 'close').then(() => closed.resolve())
      controller.abort(new Error('That is enough'))
    },
  ]
  expect(await (await api('/call')).text()).toBe('That is enough')
  await closed.promise
})

test('outside a request a call has no trace', async () => {
  await (await tracedFetch(other.url)).text()
  const { headers } = other.received[0] ?? {}
  expect(headers).toMatchObject({ connection: 'close' })
  expect([headers?.traceparent, headers?.['x-request-id']]).toEqual([undefined, undefined])
})
