import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { sendSignal } from '#src/runtime/tasks/send-signal.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

// A task that waits for a signal, and those who send it.

const Payment = z.object({ amount: z.int(), currency: z.string().default('EUR') })
const seen: unknown[] = []
let before: () => Promise<unknown> = async () => {}
let after: () => void = () => {}
let key: string | undefined
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  signals: { paid: Payment },
  retry: { attempts: 2, backoff: { min: '5s', max: '5s' } },
  async run({ step, waitFor }) {
    await step('before', async () => {})
    await before()
    const paid = await waitFor('paid', { ...(key && { key }), timeout: '7d' })
    seen.push(paid?.amount ?? 'timed out')
    after()
  },
})

const service = await trial({ tasks: [work] })
const { request, ledger, drain, query, advance } = service
const enqueueWork = () => request((tx) => enqueue(tx, work, {}))
const send = (amount = 7, to = 'k1') => request((tx) => sendSignal(tx, work, 'paid', { key: to }, { amount }))
const rows = () => query("select * from runtime.steps where kind = 'wait'")

beforeEach(async () => {
  await service.clear()
  seen.length = 0
  before = async () => {}
  key = 'k1'
})

describe('a signal', () => {
  test('wakes the task that waits for it, at once', async () => {
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([
      { state: 'queued', attempts: 0, dispatch: 2, lease: null, waits_for: 'paid', waits_key: 'k1' },
    ])
    expect(await send()).toEqual({ accepted: true })
    await drain()
    expect(seen).toEqual([7])
    expect(await ledger()).toMatchObject([
      { state: 'done', attempts: 1, dispatch: 3, waits_for: null, waits_key: null },
    ])
    expect(await rows()).toMatchObject([
      { name: 'paid:k1', tries: 1, result: { payload: { amount: 7 } }, finished_at: expect.any(Date) },
    ])
    await drain({ until: '8d' }) // the delivery of the time-out is stale
    expect(seen).toEqual([7])
  })

  test('that comes before the wait is kept', async () => {
    await send()
    await enqueueWork()
    await drain()
    expect([seen, await ledger()]).toMatchObject([[7], [{ state: 'done', attempts: 1, dispatch: 1 }]])
  })

  test('the first one counts', async () => {
    expect(await send(1)).toEqual({ accepted: true })
    expect(await send(2)).toEqual({ accepted: false })
    await enqueueWork()
    await drain()
    expect(await send(3)).toEqual({ accepted: false })
    expect(seen).toEqual([1])
  })

  test('of another key, another name or another task wakes nobody', async () => {
    const other = defineTask({
      name: 'trial.other',
      payload: z.object({}),
      signals: { paid: Payment },
      async run() {},
    })
    await enqueueWork()
    await drain()
    await send(1, 'k2')
    await request((tx) => sendSignal(tx, other, 'paid', { key: 'k1' }, { amount: 2 }))
    await drain()
    expect([seen, await ledger()]).toMatchObject([[], [{ state: 'queued', dispatch: 2 }]])
  })

  test('wakes all tasks that wait for it', async () => {
    await enqueueWork()
    await enqueueWork()
    await drain()
    await send()
    await drain()
    expect(seen).toEqual([7, 7])
  })

  test('has the id of the task as its key, if the wait says none', async () => {
    key = undefined
    const { id } = await enqueueWork()
    await drain()
    await send(7, id)
    await drain()
    expect(seen).toEqual([7])
  })

  test('is not sent if its transaction is rolled back', async () => {
    await enqueueWork()
    await drain()
    const back = service.database.transaction(async (tx) => {
      await sendSignal(tx, work, 'paid', { key: 'k1' }, { amount: 1 })
      tx.rollback()
    })
    await expect(back).rejects.toThrow()
    await drain()
    expect([seen, await query('select from runtime.signals where arrived_at is not null')]).toEqual([[], []])
  })

  test('is what the schema takes, or it is not sent', async () => {
    const wrong = service.database.transaction((tx) =>
      sendSignal(tx, work, 'paid', { key: 'k1' }, { amount: 'much' } as never),
    )
    await expect(wrong).rejects.toThrow(z.ZodError)
    const unknown = service.database.transaction((tx) =>
      sendSignal(tx, work, 'refunded' as never, { key: 'k1' }, {} as never),
    )
    await expect(unknown).rejects.toThrow('The task trial.work has no signal refunded.')
    const long = service.database.transaction((tx) =>
      sendSignal(tx, work, 'paid', { key: 'x'.repeat(1001) }, { amount: 1 }),
    )
    await expect(long).rejects.toThrow('its key must be text of at most 1,000 bytes')
  })

  test('comes as the schema makes it', async () => {
    const got: unknown[] = []
    const typed = defineTask({
      name: 'trial.typed',
      payload: z.object({}),
      signals: { paid: Payment },
      run: async ({ waitFor }) => void got.push(await waitFor('paid', { timeout: '1h' })),
    })
    const own = await trial({ tasks: [typed] })
    const { id } = await own.request((tx) => enqueue(tx, typed, {}))
    await own.drain()
    await own.request((tx) => sendSignal(tx, typed, 'paid', { key: id }, { amount: 1 }))
    await own.drain()
    expect(got).toEqual([{ amount: 1, currency: 'EUR' }])
  })

  test('that this revision does not understand makes the task wait', async () => {
    await query(`insert into runtime.signals (task, name, key, payload, arrived_at)
      values ('trial.work', 'paid', 'k1', '{"sum": 1}', now())`)
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([
      { unknown_since: expect.any(Date), last_error: expect.stringContaining('step paid') },
    ])
  })

  test('is pruned by the tick, when it is older than TASKS_KEEP', async () => {
    await send()
    await advance('6d')
    await service.tick()
    expect(await query('select from runtime.signals')).toHaveLength(1)
    await advance('2d')
    await service.tick()
    expect(await query('select from runtime.signals')).toHaveLength(0)
  })

  test('reaches a task that has waited longer than signals are kept', async () => {
    const patient = defineTask({
      name: 'trial.patient',
      payload: z.object({}),
      signals: { paid: Payment },
      run: async ({ waitFor }) => void seen.push((await waitFor('paid', { timeout: '90d' }))?.amount),
    })
    const own = await trial({ tasks: [patient] })
    const { id } = await own.request((tx) => enqueue(tx, patient, {}))
    await own.drain()
    await own.advance('20d')
    await own.tick()
    expect(await own.query('select from runtime.signals')).toEqual([])
    await own.request((tx) => sendSignal(tx, patient, 'paid', { key: id }, { amount: 9 }))
    await own.advance('20d') // nobody calls back for longer than signals are kept
    await own.tick()
    await own.drain()
    expect(seen).toEqual([9])
  })
})

describe('a time-out', () => {
  test('ends the wait, and the code sees it', async () => {
    await enqueueWork()
    await drain()
    await advance('6d')
    await drain()
    expect(seen).toEqual([])
    await drain({ until: '2d' })
    expect([seen, await ledger()]).toMatchObject([['timed out'], [{ state: 'done', attempts: 1 }]])
    expect(await send()).toEqual({ accepted: true }) // kept, and nobody waits for it
  })

  test('a signal that comes after it, but before the task has run, counts', async () => {
    await enqueueWork()
    await drain()
    await advance('8d')
    await send()
    await drain({ until: '1d' })
    expect(seen).toEqual([7])
  })

  test('stays so in later attempts, whatever comes', async () => {
    await enqueueWork()
    await drain()
    after = () => {
      after = () => {}
      throw new Error('it fails after the wait')
    }
    await drain({ until: '8d' })
    await send()
    await drain({ until: '1h' })
    expect(seen).toEqual(['timed out', 'timed out'])
  })
})

test('a wait for a signal that the task does not have kills it, and says what to write', async () => {
  const wrong = defineTask({
    name: 'trial.wrong',
    payload: z.object({}),
    run: async ({ waitFor }) => void (await waitFor('paid' as never, { timeout: '1h' })),
  })
  const own = await trial({ tasks: [wrong] })
  await own.request((tx) => enqueue(tx, wrong, {}))
  await own.drain()
  expect(await own.ledger()).toMatchObject([
    {
      state: 'dead',
      last_error: expect.stringContaining('Add it to the task: signals: { paid: z.object({ … }) }.'),
    },
  ])
})
