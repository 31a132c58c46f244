import { z } from '@hono/zod-openapi'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import type { RawConnection } from '#test/support/raw.ts'
import { testServer } from '#test/support/server.ts'

let started = Promise.withResolvers<AbortSignal>()
let outcome: () => void = () => {}

const Answer = z.strictObject({ done: z.boolean() })
const responses = { 200: json('Done', Answer) }
const route = { method: 'post', operationId: 'slow', summary: 'Wait', security: 'public', responses } as const
const slow = handle(defineRoute({ ...route, path: '/slow' }), async (c) => {
  const { signal } = c.var
  started.resolve(signal)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  outcome()
  return c.json({ done: true }, 200)
})
const upload = handle(
  defineRoute({ ...route, path: '/upload', operationId: 'upload', request: { body: jsonBody(Answer) } }),
  async (c) => c.json({ done: true }, 200),
)

const error = vi.fn()
const warning = vi.fn()
const { api, dial, lines, server } = await testServer({
  databaseUrl: noDatabase,
  environment: { REQUEST_TIMEOUT: '1' },
  features: [featureOf(slow, upload)],
  reporter: { error, warning },
})

const half =
  'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{"do'
const whole = 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'
const ways: [string, (connection: RawConnection) => unknown][] = [
  ['ends its side', ({ socket }) => socket.end()],
  ['closes the connection', ({ socket }) => socket.destroy()],
  ['resets the connection', ({ socket }) => socket.resetAndDestroy()],
]

beforeEach(() => {
  started = Promise.withResolvers()
  outcome = () => {}
  lines.length = 0
})

/** Expects one line that says 499, then, when the server had time for more, still no other and no report. */
async function expectOneLine(path: string) {
  await vi.waitFor(() => expect(lines).not.toEqual([]), { interval: 5 })
  await (await api('/ping')).text()
  expect(lines.map(({ severity, message }) => [severity, message])).toEqual([
    ['WARNING', `POST ${path} 499`],
    ['INFO', 'GET /ping 200'],
  ])
  expect(lines[0]).toMatchObject({ httpRequest: { status: 499 } })
  expect(error).not.toHaveBeenCalled()
  expect(warning).not.toHaveBeenCalled()
}

describe.each(ways)('a client that %s', (_what, leave) => {
  test('before its body has ended is one line, and no report', async () => {
    const arrived = new Promise((resolve) => server.once('request', resolve))
    const connection = dial().send(half)
    await arrived
    leave(connection)
    await expectOneLine('/upload')
  })

  test.each<[string, () => void]>([
    ['answers', () => {}],
    [
      'throws',
      () => {
        throw new Error('The warehouse call was aborted')
      },
    ],
  ])('while the handler works aborts its signal, and is one line whether it then %s', async (_then, then) => {
    outcome = then
    const connection = dial().send(whole)
    const signal = await started.promise
    expect(signal.aborted).toBe(false)
    leave(connection)
    await expectOneLine('/slow')
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ message: 'The client left' })
  })
})

test('a client that never finishes its body gets 408 at the deadline: no error of ours', async () => {
  const { status, headers, body } = await dial().send(half).answer()
  expect([status, headers.get('connection')]).toEqual([408, 'close'])
  expect(JSON.parse(body)).toMatchObject({ code: 'REQUEST_INCOMPLETE', instance: '/upload' })
  expect(lines.map(({ severity, message }) => [severity, message])).toEqual([['WARNING', 'POST /upload 408']])
  expect(error).not.toHaveBeenCalled()
})
