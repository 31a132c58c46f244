import { afterEach, describe, expect, test } from 'vitest'
import { expectJson, expectProblem, lockWaits, openSession } from '#test/kit'
import { startReceiver, status, verified } from './receiver.ts'
import { scopes, trial } from './trial.ts'

const service = await trial()
const { alice, subscribe, publish, deliveries, redeliver, states, drain, read, change } = service
const post = { method: 'POST' }

afterEach(service.clear)

describe('an event', () => {
  test('goes to the webhooks of its owner that ask for it, signed, once', async () => {
    const [all, some, other, off, bobs] = await Promise.all(Array.from({ length: 5 }, startReceiver))
    const bob = await service.as('bob', scopes)
    const one = await subscribe(all?.url ?? '')
    const two = await subscribe(some?.url ?? '', ['stock.*', 'order.placed'])
    await subscribe(other?.url ?? '', ['order.placed.*', 'stock'])
    await change((await subscribe(off?.url ?? '')).id, { enabled: false })
    await subscribe(bobs?.url ?? '', ['*'], bob)
    await publish('order.placed', { item: 'Teapot' })
    await drain()
    expect([all, some, other, off, bobs].map((receiver) => receiver?.received.length)).toEqual([
      1, 1, 0, 0, 0,
    ])
    for (const [receiver, { id, secret }] of [[all, one] as const, [some, two] as const]) {
      const [request] = receiver?.take() ?? []
      const [delivery, ...more] = await deliveries(id)
      if (!request || !delivery) throw new Error('It was not delivered')
      expect(more).toEqual([])
      expect(verified(secret, request)).toEqual({
        ...{ type: 'order.placed', data: { item: 'Teapot' } },
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })
      expect(request.headers['webhook-id']).toBe(delivery.eventId)
      expect(delivery).toMatchObject({
        type: 'order.placed',
        status: 'delivered',
        attempts: 1,
        lastStatus: 204,
      })
      expect(delivery.nextAttemptAt).toBeUndefined()
    }
    const [{ eventId: first } = {}] = await deliveries(one.id)
    const [{ eventId: second } = {}] = await deliveries(two.id)
    expect(first).toBe(second)
  })

  test('is sent if, and only if, its transaction commits', async () => {
    const receiver = await startReceiver()
    const { id } = await subscribe(receiver.url)
    await expect(publish('order.placed', { fail: true })).rejects.toThrow('INTERNAL')
    await drain()
    expect([receiver.received, await deliveries(id), await states()]).toEqual([[], [], []])
  })

  test('leaves out a webhook that is deleted meanwhile, and does not fail', async () => {
    const receiver = await startReceiver()
    const { id } = await subscribe(receiver.url)
    const other = await openSession(service.databaseUrl)
    await other.query('begin')
    await other.query('delete from webhooks where id = $1', [id])
    const published = publish('order.placed')
    await lockWaits(service.databaseUrl)
    await other.query('commit')
    await published
    await drain()
    expect([receiver.received, await states()]).toEqual([[], []])
  })
})

describe('a delivery that fails', () => {
  test('is sent again for a day with the same id and body, then given up; the log says how it went', async () => {
    const receiver = await startReceiver()
    receiver.respond(status(500))
    const { id, secret } = await subscribe(receiver.url)
    await publish('order.placed')
    await drain()
    const waits: number[] = []
    for (let attempts = 1; ; attempts++) {
      const [delivery] = await deliveries(id)
      expect(delivery).toMatchObject({ attempts, lastStatus: 500, durationMs: expect.any(Number) })
      if (delivery?.status !== 'pending') break
      const { nextAttemptAt = '', attemptedAt = '' } = delivery
      const waitMs = Date.parse(nextAttemptAt) - Date.parse(attemptedAt)
      waits.push(Math.floor(waitMs / 1000))
      await drain({ until: `${waitMs + 1000}ms` })
    }
    const named = [5, 300, 1800, 7200, 18_000, 28_800, 36_000]
    expect(waits).toHaveLength(named.length)
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(named[index] ?? 0)
      expect(wait).toBeLessThanOrEqual((named[index] ?? 0) * 1.1)
    }
    const requests = receiver.take()
    expect(requests).toHaveLength(8)
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1)
    for (const request of requests) expect(verified(secret, request)).toMatchObject({ type: 'order.placed' })
    expect(await deliveries(id)).toMatchObject([{ status: 'failed' }])
    expect(await states()).toEqual(Array.from({ length: 8 }, () => 'done'))
    expect(await read(id)).toMatchObject({ enabled: true, failingSince: expect.any(String) })
  })

  test('waits as long as the receiver asks, if that is longer', async () => {
    const receiver = await startReceiver()
    receiver.respond(status(429, { 'Retry-After': '3600' }))
    const { id } = await subscribe(receiver.url)
    await publish('order.placed')
    await drain()
    await service.advance('59m')
    await drain()
    expect(receiver.take()).toHaveLength(1)
    receiver.respond(status(200))
    await service.advance('2m')
    await drain()
    expect(receiver.take()).toHaveLength(1)
    expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 2, lastStatus: 200 }])
    expect(await read(id)).not.toHaveProperty('failingSince')
  })

  test('for a host that has no public address is not sent, and says so', async () => {
    const { id } = await subscribe('https://metadata.google.internal/computeMetadata/v1/')
    await publish('order.placed')
    await drain()
    const [delivery] = await deliveries(id)
    expect(delivery).toMatchObject({
      ...{ status: 'pending', attempts: 1 },
      lastError: 'The host has no address, or one that is not public',
    })
    expect(delivery).not.toHaveProperty('durationMs')
    expect(JSON.stringify(service.lines)).not.toContain('computeMetadata')
  })
})

describe('a webhook is disabled', () => {
  test('by 410: what waits is not sent, and its log says why', async () => {
    const receiver = await startReceiver()
    receiver.respond(status(503))
    const { id } = await subscribe(receiver.url)
    await publish('order.placed', { number: 1 })
    await drain()
    receiver.respond(status(410))
    await publish('order.placed', { number: 2 })
    await drain()
    expect(await read(id)).toMatchObject({ enabled: false, disabledReason: 'gone' })
    await publish('order.placed', { number: 3 })
    await drain({ until: '1h' })
    expect(receiver.take()).toHaveLength(2)
    expect(await deliveries(id)).toMatchObject([
      { status: 'failed', lastStatus: 410, attempts: 1 },
      { status: 'cancelled', attempts: 1, lastError: 'It was not sent: the webhook was disabled' },
    ])
    const [, waited] = await deliveries(id)
    await expectProblem(await redeliver(id, waited), 409, 'WEBHOOK_DISABLED')
    await expectProblem(await alice(`/webhooks/${id}/test`, post), 409, 'WEBHOOK_DISABLED')
    receiver.respond(status(200))
    expect(await change(id, { enabled: true })).not.toHaveProperty('failingSince')
    await expectJson(await redeliver(id, waited), 202)
    await drain()
    expect(receiver.take()).toMatchObject([{ body: expect.stringContaining('"number":1') }])
  })

  test('after five days in which nothing was delivered, when a delivery is given up', async () => {
    const receiver = await startReceiver()
    receiver.respond(status(500))
    const { id } = await subscribe(receiver.url)
    await publish('order.placed')
    await drain({ until: '30h' })
    expect(await deliveries(id)).toMatchObject([{ status: 'failed', attempts: 8 }])
    await service.advance('4d')
    await publish('order.placed')
    await drain({ until: '20h' })
    expect(await read(id)).toMatchObject({ enabled: true })
    await drain({ until: '15h' })
    expect(await read(id)).toMatchObject({ enabled: false, disabledReason: 'failing' })
  })

  test('not if one was delivered meanwhile', async () => {
    const receiver = await startReceiver()
    receiver.respond(status(500))
    const { id } = await subscribe(receiver.url)
    await publish('order.placed')
    await drain({ until: '30h' })
    await service.advance('5d')
    receiver.respond(status(200))
    await publish('order.placed')
    await drain()
    receiver.respond(status(500))
    await publish('order.placed')
    await drain({ until: '30h' })
    expect(await deliveries(id)).toMatchObject([
      { status: 'failed' },
      { status: 'delivered' },
      { status: 'failed' },
    ])
    expect(await read(id)).toMatchObject({ enabled: true })
  })
})
