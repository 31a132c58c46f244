import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { sendSignal } from '#src/runtime/tasks/send-signal.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { type ClaimedRow, claim } from '#src/runtime/tasks/transitions.ts'
import { startWait } from '#src/runtime/tasks/wait-store.ts'
import { lockWaits, openSession } from '#test/support/session.ts'
import { trial } from './trial.ts'

// A wait and its signal, or a cancel, at the same time.

const seen: unknown[] = []
let before: () => Promise<unknown> = async () => {}
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  signals: { paid: z.object({ amount: z.int() }) },
  async run({ waitFor }) {
    await before()
    const paid = await waitFor('paid', { key: 'k1', timeout: '7d' })
    seen.push(paid?.amount)
  },
})

const service = await trial({ tasks: [work] })
const { request, ledger, drain } = service
const enqueueWork = () => request((tx) => enqueue(tx, work, {}))
const send = (amount = 7) => request((tx) => sendSignal(tx, work, 'paid', { key: 'k1' }, { amount }))

beforeEach(async () => {
  await service.clear()
  seen.length = 0
  before = async () => {}
})

test('a signal that commits while the task starts to wait is not lost', async () => {
  await enqueueWork()
  const session = await openSession(service.databaseUrl)
  before = async () => {
    await session.query('begin')
    await session.query(`insert into runtime.signals (task, name, key, payload, arrived_at)
        values ('trial.work', 'paid', 'k1', '{"amount": 5}', now())`)
    before = async () => {}
  }
  const made = drain()
  await lockWaits(service.databaseUrl)
  await session.query('commit')
  await made
  expect([seen, await ledger()]).toMatchObject([[5], [{ state: 'done', attempts: 1 }]])
})

test('a signal that is sent while the row of its wait is not yet committed wakes the task', async () => {
  const { id } = await enqueueWork()
  const row = (await claim(service.database, { name: work.name, id, dispatch: 1 })) as ClaimedRow
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const wait = service.database.transaction(async (tx) => {
    await startWait(tx as never, row, { name: 'paid', key: 'k1' }, 60_000)
    held.resolve()
    await go.promise
  })
  await held.promise
  const sent = send(3)
  await lockWaits(service.databaseUrl)
  go.resolve()
  await wait
  expect(await sent).toEqual({ accepted: true })
  expect(await ledger()).toMatchObject([{ dispatch: 3, waits_key: null }])
  await drain()
  expect(seen).toEqual([3])
})

test('signals at once: one counts, and none waits for another for ever', async () => {
  await enqueueWork()
  await drain()
  const results = await Promise.all(
    [1, 2, 3, 4].map((amount) =>
      service.database.transaction((tx) => sendSignal(tx, work, 'paid', { key: 'k1' }, { amount })),
    ),
  )
  expect(results.filter(({ accepted }) => accepted)).toHaveLength(1)
  await service.advance('1m')
  await service.tick()
  await drain()
  expect(seen).toEqual([results.findIndex(({ accepted }) => accepted) + 1])
})

test('a cancel reaches a task that waits, and a signal does not wake it', async () => {
  const { id } = await enqueueWork()
  await drain()
  const olga = await service.as('olga', ['runtime:admin'])
  expect((await olga(`/runtime/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(200)
  await send()
  await drain({ until: '8d' })
  expect([seen, await ledger()]).toMatchObject([[], [{ state: 'cancelled' }]])
})
