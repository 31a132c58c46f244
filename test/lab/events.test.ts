import { beforeAll, expect, test } from 'vitest'
import { expectJson, expectProblem, onServer, query } from '#test/kit'
import { sharedLab } from './lab.ts'
import { createEvents } from './routes/events.ts'

const lab = sharedLab()
const times = 10
beforeAll(() => onServer(lab.databaseUrl, createEvents))

async function effectsOf(effect: string): Promise<number> {
  const { rowCount } = await query(lab.databaseUrl, `select id from events where effect = '${effect}'`)
  return rowCount ?? 0
}

test('a webhook that is sent again is handled once: the sender’s id is the key of a row', async () => {
  const send = () => lab.api('/webhooks/events', { json: { id: 'evt_1', effect: 'paid' } })
  const responses = await Promise.all(Array.from({ length: times }, send))
  expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: times }, () => 204))
  expect(await effectsOf('paid')).toBe(1)
})

test('a sender that sends its id as Idempotency-Key is handled once, at whatever time it comes again', async () => {
  const sender = await lab.as('sender')
  const send = () =>
    sender('/events', { json: { id: 'evt_2', effect: 'sent' }, headers: { 'Idempotency-Key': 'evt_2' } })
  const statuses = (await Promise.all(Array.from({ length: times }, send))).map(({ status }) => status)
  expect(statuses).toContain(201)
  expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([])
  const late = await send()
  expect(late.headers.get('idempotency-replayed')).toBe('true')
  expect(await effectsOf('sent')).toBe(1)
})

test('a route’s own middleware sees what was checked, before the transaction opens', async () => {
  const sender = await lab.as('sender')
  const seen = await expectJson(await sender('/events', { json: { id: 'evt_3', effect: 'seen' } }), 201)
  expect(seen.seenBefore).toEqual({ id: 'evt_3', inTransaction: false })
  await expectProblem(await sender('/events', { json: { id: 3 } }), 400, 'VALIDATION_FAILED')
})
