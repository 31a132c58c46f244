import { expect, test } from 'vitest'
import { harmless } from '#test/acceptance/live-safe.ts'
import type { Api } from '#test/support/client.ts'

test('a live-safe client refuses to send what could write', async () => {
  const sent: string[] = []
  const api: Api = async (path) => {
    sent.push(path)
    return new Response()
  }
  const token = { Authorization: 'Bearer x' }
  const alice = harmless(api, token)
  const anyone = harmless(api, {})
  const text = { 'Content-Type': 'text/plain' }
  await alice('/orders')
  await alice('/orders', { method: 'HEAD' })
  await alice('/orders', { headers: text, body: 'x' })
  await anyone('/orders', { json: {} })
  await anyone('/orders', { method: 'DELETE' })
  expect(sent).toHaveLength(5)

  expect(() => alice('/orders', { json: {} })).toThrow('POST /orders could write')
  expect(() => alice('/orders', { json: {}, headers: text })).toThrow()
  expect(() => alice('/orders', { body: '{}', headers: { 'Content-Type': 'application/json' } })).toThrow()
  expect(() => alice('/orders/1/cancel', { method: 'POST' })).toThrow()
  expect(() => alice('/orders/1/cancel', { body: 'x', headers: text })).toThrow()
  expect(() => alice('/orders', { method: 'DELETE' })).toThrow()
  expect(() => anyone('/orders', { json: {}, headers: token })).toThrow()
  expect(() => anyone('/orders', { json: {}, headers: { cookie: 'session=x' } })).toThrow()
  expect(sent).toHaveLength(5)
})
