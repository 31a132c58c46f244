import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { expectJson } from '#test/kit'
import { startReceiver, status, verified } from './receiver.ts'
import { trial } from './trial.ts'

const service = await trial()
const { alice, subscribe, publish, deliveries, redeliver, states, drain, query } = service
const post = { method: 'POST' }

afterEach(service.clear)

describe('a delivery sent again by hand', () => {
  test('has the same id, is sent now, and starts its attempts again; its old task sends nothing', async () => {
    const receiver = await startReceiver()
    receiver.respond(status(500))
    const { id } = await subscribe(receiver.url)
    await publish('order.placed')
    await drain({ until: '10m' })
    const [waiting] = await deliveries(id)
    expect(waiting).toMatchObject({ status: 'pending', attempts: 3 })
    receiver.respond(status(200))
    expect(await expectJson(await redeliver(id, waiting), 202)).toMatchObject({ attempts: 0 })
    await drain()
    expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 1 }])
    await drain({ until: '1h' })
    const ids = receiver.take().map(({ headers }) => headers['webhook-id'])
    expect(ids).toEqual(Array.from({ length: 4 }, () => waiting?.eventId))
    expect(await states()).toEqual(['done', 'done', 'done', 'done', 'done'])
  })

  test('is sent once, however many ask at once; and once more for each that asks later', async () => {
    const receiver = await startReceiver()
    const { id } = await subscribe(receiver.url)
    await publish('order.placed')
    await drain()
    const [delivery] = await deliveries(id)
    for (const times of [6, 1]) {
      receiver.take()
      const asked = Array.from({ length: times }, () => redeliver(id, delivery))
      for (const response of await Promise.all(asked))
        expect(await expectJson(response, 202)).toMatchObject({ status: 'pending' })
      await drain()
      expect(receiver.take()).toMatchObject([{ headers: { 'webhook-id': delivery?.eventId } }])
    }
    expect(await states()).toHaveLength(3)
  })

  test('while an attempt is on its way, that attempt and its outcome count', async () => {
    const receiver = await startReceiver()
    const { id } = await subscribe(receiver.url)
    receiver.respond(async (response) => {
      const [delivery] = await deliveries(id)
      await expectJson(await redeliver(id, delivery), 202)
      response.writeHead(204).end()
    })
    await publish('order.placed')
    await drain()
    expect(receiver.take()).toHaveLength(1)
    expect(await deliveries(id)).toMatchObject([{ status: 'delivered' }])
  })
})

describe('while an attempt is on its way', () => {
  test('its webhook may be deleted: nothing of it is left, and nothing fails', async () => {
    const receiver = await startReceiver()
    const { id } = await subscribe(receiver.url)
    receiver.respond(async (response) => {
      await alice(`/webhooks/${id}`, { method: 'DELETE' })
      response.writeHead(500).end()
    })
    await publish('order.placed')
    await drain({ until: '1h' })
    expect(receiver.take()).toHaveLength(1)
    expect(await query('select 1 from webhook_deliveries')).toEqual([])
    expect(await states()).toEqual(['done'])
  })

  test('or before: it is not sent', async () => {
    const receiver = await startReceiver()
    const { id } = await subscribe(receiver.url)
    await publish('order.placed')
    await alice(`/webhooks/${id}`, { method: 'DELETE' })
    await drain({ until: '1h' })
    expect(receiver.take()).toEqual([])
    expect(await states()).toEqual(['done'])
    expect(JSON.stringify(service.lines)).toMatch(/is not sent: it was deleted/)
  })
})

test('for a day after a rotation the old secret signs too; after another rotation it does not', async () => {
  const receiver = await startReceiver()
  const { id, secret: first } = await subscribe(receiver.url)
  const rotate = async () => {
    const response = await alice(`/webhooks/${id}/rotate-secret`, post)
    expect(response.headers.get('cache-control')).toBe('no-store')
    return (await expectJson<{ secret: string }>(response)).secret
  }
  const signedBy = async (...secrets: string[]) => {
    await expectJson(await alice(`/webhooks/${id}/test`, post), 202)
    await drain()
    const [request] = receiver.take()
    if (!request) throw new Error('Nothing was sent')
    expect(String(request.headers['webhook-signature']).split(' ')).toHaveLength(secrets.length)
    for (const secret of secrets) expect(verified(secret, request)).toMatchObject({ type: 'webhook.test' })
  }
  await signedBy(first)
  const second = await rotate()
  expect(second).not.toBe(first)
  await signedBy(second, first)
  await service.advance('23h')
  await signedBy(second, first)
  await service.advance('2h')
  await signedBy(second)
  const third = await rotate()
  const fourth = await rotate()
  await signedBy(fourth, third)
  const [both] = await Promise.all([Promise.all([rotate(), rotate()]), publish('order.placed')])
  await drain()
  receiver.take()
  await signedBy(...both)
})

test('a task without its row ends', async () => {
  const receiver = await startReceiver()
  const { id } = await subscribe(receiver.url)
  await publish('order.placed')
  await query('update runtime.tasks set payload = $1', [{ deliveryId: randomUUID(), turn: 1 }])
  await drain({ until: '1m' })
  expect(receiver.take()).toEqual([])
  expect(await deliveries(id)).toMatchObject([{ status: 'pending' }])
  const [delivery] = await deliveries(id)
  await service.advance('2m')
  await expectJson(await redeliver(id, delivery), 202) // what was lost can be sent by hand
  await drain()
  expect(receiver.take()).toHaveLength(1)
})
