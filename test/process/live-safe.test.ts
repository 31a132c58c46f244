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
  const alice = harmless(api, token, ['/notes'])
  const anyone = harmless(api, {}, ['/notes'])
  const text = { 'Content-Type': 'text/plain' }
  await alice('/notes')
  await alice('/notes', { method: 'HEAD' })
  await alice('/notes', { headers: text, body: 'x' })
  await anyone('/notes', { json: {} })
  await anyone('/notes', { method: 'DELETE' })
  expect(sent).toHaveLength(5)

  expect(() => alice('/notes', { json: {} })).toThrow('POST /notes could write')
  expect(() => alice('/notes', { json: {}, headers: text })).toThrow()
  expect(() => alice('/notes', { body: '{}', headers: { 'Content-Type': 'application/json' } })).toThrow()
  expect(() => alice('/notes/1/close', { method: 'POST' })).toThrow()
  expect(() => alice('/notes/1/close', { body: 'x', headers: text })).toThrow()
  expect(() => alice('/notes', { method: 'DELETE' })).toThrow()
  expect(() => anyone('/notes', { json: {}, headers: token })).toThrow()
  expect(() => anyone('/notes', { json: {}, headers: { cookie: 'session=x' } })).toThrow()
  expect(sent).toHaveLength(5)
})
