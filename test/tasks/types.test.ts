import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Config } from '#src/runtime/config/config.ts'
import type { Transaction } from '#src/runtime/database/database.ts'
import type { Reader } from '#src/runtime/database/reader.ts'
import type { Log } from '#src/runtime/log/logger.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask, type Effect } from '#src/runtime/tasks/task.ts'
import type { TaskService } from '#test/support/task-service.ts'

// These hold when `tsc` passes: nothing here is called.

const payload = z.object({
  orderId: z.uuid(),
  count: z.int().default(1),
  due: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .optional(),
})
const fine = { name: 'trial.fine', payload, async run() {} }
const task = defineTask(fine)
const schedule = { name: 'trial.nightly', cron: '0 3 * * *', timeZone: 'Europe/Berlin', task }
const orderId = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'

test('run gets its payload as the schema makes it, and what else an attempt has', () => {
  defineTask({
    ...fine,
    async run(attempt) {
      expectTypeOf(attempt.payload).toEqualTypeOf<{
        orderId: string
        count: number
        due?: Date | undefined
      }>()
      expectTypeOf(attempt.attempt).toEqualTypeOf<number>()
      expectTypeOf(attempt.signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(attempt.idempotencyKey).toEqualTypeOf<string>()
      expectTypeOf(attempt.caller).toEqualTypeOf<{ readonly subject: string } | undefined>()
      expectTypeOf(attempt.log).toEqualTypeOf<Log>()
      expectTypeOf(attempt.database).toEqualTypeOf<Reader>()
      // @ts-expect-error what is to be written, run returns
      attempt.database.insert
      // @ts-expect-error nor is there a transaction to write in
      attempt.database.transaction
      // @ts-expect-error the payload has no such field
      attempt.payload.item
    },
  })
})

test('run has the variables of its task beside the runtime’s, and no others', () => {
  defineTask({
    ...fine,
    variables: { TRIAL_URL: z.string(), TRIAL_SIZE: z.coerce.number().optional() },
    async run({ config }) {
      expectTypeOf(config.TRIAL_URL).toEqualTypeOf<string>()
      expectTypeOf(config.TRIAL_SIZE).toEqualTypeOf<number | undefined>()
      expectTypeOf(config.ENVIRONMENT).toEqualTypeOf<Config['ENVIRONMENT']>()
      // @ts-expect-error nobody defines it
      config.TRIAL_OTHER
    },
  })
})

test('run returns nothing, or what writes in a transaction', () => {
  defineTask({ ...fine, run: async () => (tx) => tx.execute('select 1') })
  defineTask({ ...fine, run: async ({ payload }) => (payload.count > 1 ? async () => {} : undefined) })
  expectTypeOf<Parameters<Effect>>().toEqualTypeOf<[tx: Transaction]>()
  // @ts-expect-error it is asynchronous
  defineTask({ ...fine, run: () => {} })
  // @ts-expect-error a result would go nowhere
  defineTask({ ...fine, run: async () => 'shipped' })
  // @ts-expect-error an effect waits for its writes
  defineTask({ ...fine, run: async () => () => {} })
})

test('the wrong payload does not compile', () => {
  const tx = {} as Transaction
  expectTypeOf(enqueue<typeof payload>)
    .parameter(2)
    .toEqualTypeOf<{ orderId: string; count?: number | undefined; due?: string | undefined }>()
  const wrong = () => [
    // @ts-expect-error an order's id is missing
    enqueue(tx, task, {}),
    // @ts-expect-error it is a text
    enqueue(tx, task, { orderId: 7 }),
    // @ts-expect-error the field is called otherwise
    enqueue(tx, task, { orderId, amount: 1 }),
    // @ts-expect-error a moment is given as it is stored: as a text
    enqueue(tx, task, { orderId, due: new Date() }),
    // @ts-expect-error a payload is not left out
    enqueue(tx, task),
    // @ts-expect-error a task is what defineTask made
    enqueue(tx, fine, { orderId }),
    // @ts-expect-error a schedule's payload is its task's
    defineSchedule({ ...schedule, payload: { orderId: 7 } }),
    // @ts-expect-error and is not left out
    defineSchedule(schedule),
  ]
  expectTypeOf(wrong).toBeFunction()
})

test('a delay is a duration, and a moment a Date', () => {
  const tx = {} as Transaction
  const options = () => [
    enqueue(tx, task, { orderId }, { delay: '90s', key: orderId }),
    enqueue(tx, task, { orderId }, { at: new Date() }),
    // @ts-expect-error a number has no unit
    enqueue(tx, task, { orderId }, { delay: 90 }),
    // @ts-expect-error weeks are 7d each
    enqueue(tx, task, { orderId }, { delay: '2w' }),
    // @ts-expect-error a moment is a Date
    enqueue(tx, task, { orderId }, { at: '2026-11-23T09:30:00Z' }),
  ]
  expectTypeOf(options).returns.items.resolves.toEqualTypeOf<{ id: string; enqueued: boolean }>()
})

test('the test kit expects payloads of the task that it is asked for', () => {
  const expectations = (service: TaskService) => [
    service.expectEnqueued(task, { orderId }),
    service.expectNotEnqueued(task),
    // @ts-expect-error the payload has no such field
    service.expectNotEnqueued(task, { order: orderId }),
  ]
  expectTypeOf(expectations).toBeFunction()
})
