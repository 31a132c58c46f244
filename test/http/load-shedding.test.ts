import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processMemory } from '#src/runtime/http/memory-budget.ts'
import { client } from '#test/support/client.ts'
import { expectProblem } from '#test/support/expect.ts'
import {
  body,
  closeGate,
  gate,
  headers,
  mebibyte,
  memoryService,
  nothing,
  post,
} from '#test/support/memory-service.ts'
import { as } from '#test/support/tokens.ts'

const { api, dial, url } = await memoryService()

beforeEach(closeGate)
afterEach(nothing)

describe('where others hold much', () => {
  let others = processMemory.open()
  beforeEach(() => {
    others = processMemory.open()
    others.reserve(processMemory.limitBytes * (7 / 8) - mebibyte)
  })
  afterEach(() => others.release())
  const long = JSON.stringify({ text: 'x'.repeat(600_000) })

  /** Expects a 503 that says when to come back. */
  async function expectShed(response: Response) {
    expect(response.headers.get('retry-after')).toBe('1')
    await expectProblem(response, 503, 'OVERLOADED')
  }

  test('a large body is refused before it is sent', async () => {
    const connection = dial().send(post('/echo', 600_000))
    const early = await connection.answer()
    expect([early.status, early.headers.get('retry-after'), JSON.parse(early.body)]).toEqual([
      ...[503, '1', expect.objectContaining({ code: 'OVERLOADED' })],
    ])
    await expectShed(await api('/echo', { body: long, headers }))
    await expectShed(await api('/plain', { body: long }))
  })

  test('a large body in chunks is refused while it is read', async () => {
    const chunks = new Blob(Array.from({ length: 10 }, () => 'x'.repeat(100_000))).stream()
    const init = { method: 'POST', body: chunks, duplex: 'half' } as const
    await expectShed(await fetch(`${url}/plain`, init))
  })

  test('a large response becomes a problem', async () => {
    await expectShed(await api('/large'))
  })

  test('small requests are let in, by their length and in chunks', async () => {
    expect((await api('/echo', { body, headers })).status).toBe(200)
    const chunks = new Blob([body]).stream()
    const init = { method: 'POST', body: chunks, duplex: 'half', headers } as const
    expect((await fetch(`${url}/echo`, init)).status).toBe(200)
    expect((await api('/ping')).status).toBe(200)
  })

  test('an idempotent route whose response is refused has done nothing', async () => {
    const alice = client(url, await as('alice'))
    const medium = JSON.stringify({ text: 'x'.repeat(100_000) })
    const send = () => alice('/once', { body: medium, headers: { ...headers, 'Idempotency-Key': 'shed' } })
    others.reserve(mebibyte - 2.5 * medium.length)
    await expectShed(await send())
    expect(await gate.entered.promise).toBeGreaterThan(0)
    others.release()
    const second = await send()
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([200, null])
  })
})
