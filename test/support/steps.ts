import { randomUUIDv7 } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Transaction } from '#src/runtime/database/database.ts'
import { defineFeature, type Feature } from '#src/runtime/feature.ts'
import { defineRoute, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { BatchCounts } from '#src/runtime/tasks/batch-counts.ts'
import { cancelBatch } from '#src/runtime/tasks/batches.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { type Attempt, defineTask, type Task } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { notesTable } from './notes-table.ts'

const Payload = z
  .strictObject({
    /** What its effect writes: once, or something is wrong. */
    text: z.string(),
    /** Where a process asks what an attempt is to do. */
    director: z.url().optional(),
  })
  .openapi('Step', { example: { text: 'Tea' } })

const Made = z.object({ id: z.uuid() }).openapi('StepMade', {
  example: { id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f' },
})

const Cancelled = z.object({ count: z.int() }).openapi('StepsCancelled', { example: { count: 1 } })

const signals = { word: z.string() }

/** An attempt at a step. */
export type StepAttempt = Attempt<z.infer<typeof Payload>, Record<never, never>, typeof signals>

/**
 * What an attempt is to do: `rest` leaves nothing to write, `die` kills its process, `steps` goes through steps, a sleep and
 * a wait, `undo` dies after a step that has an undo, `lasting` sleeps after a step whose undo fails.
 */
export type Direction = 'write' | 'rest' | 'fail' | 'fatal' | 'die' | 'steps' | 'undo' | 'lasting'

/** A task whose attempts do as they are told, and what enqueues it. */
export interface Steps {
  readonly feature: Feature
  readonly step: Task<typeof Payload, typeof signals>
}

const route = defineRoute({
  method: 'post',
  path: '/steps',
  operationId: 'makeStep',
  summary: 'Enqueue a step',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(Payload) },
  responses: { 201: json('The task', Made) },
})

const batchRoute = defineRoute({
  method: 'post',
  path: '/steps/batch',
  operationId: 'makeBatch',
  summary: 'Enqueue a batch of one step, and a final task',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(Payload) },
  responses: { 201: json('The batch', Made) },
})

const limitedRoute = defineRoute({
  method: 'post',
  path: '/steps/limited',
  operationId: 'makeLimited',
  summary: 'Enqueue a step of which one runs at a time',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(Payload) },
  responses: { 201: json('The task', Made) },
})

const cancelRoute = defineRoute({
  method: 'post',
  path: '/steps/batch/{id}/cancel',
  operationId: 'cancelBatch',
  summary: 'Cancel a batch',
  security: 'authenticated',
  request: { params: Made },
  responses: { 200: json('How many of its tasks were cancelled', Cancelled) },
})

/** Writes a note: once, or something is wrong. */
function writing(text: string) {
  return async (tx: Transaction) => {
    await tx.insert(notesTable).values({ id: randomUUIDv7(), owner: 'work', text, pages: 1 })
  }
}

async function takeSteps({ payload: { text }, step, sleep, waitFor }: StepAttempt): Promise<undefined> {
  await step('first', async () => writing(`${text} 1`))
  const two = await step('second', z.int(), async () => 2)
  await sleep('nap', '10s')
  await waitFor('word', { timeout: '20s' })
  await step('third', async () => writing(`${text} ${two + 1}`))
}

/**
 * The feature that tests of the tasks' crash points use.
 *
 * @param direct says what an attempt is to do, when it wants to
 */
export function stepsFeature(direct: (attempt: StepAttempt) => Promise<Direction>): Steps {
  const common = {
    payload: Payload,
    signals,
    retry: { attempts: 3, backoff: { min: '5s', max: '5s' } },
    deadline: '10m',
    async run(attempt: StepAttempt) {
      const direction = await direct(attempt)
      if (direction === 'die') process.kill(process.pid, 'SIGKILL')
      if (direction === 'fail') throw new Error('It was told to fail')
      if (direction === 'fatal') throw fatal('It was told to fail for good')
      if (direction === 'rest') return
      if (direction === 'steps') return takeSteps(attempt)
      const { text } = attempt.payload
      if (direction === 'undo') {
        const undo = async () => writing(`${text} undone`)
        await attempt.step('first', async () => writing(`${text} 1`), { undo })
        throw fatal('It was told to fail after its step')
      }
      if (direction === 'lasting') {
        const undo = async () => Promise.reject(fatal('It was told to last'))
        await attempt.step('first', async () => writing(`${text} 1`), { undo })
        return void (await attempt.sleep('nap', '5m'))
      }
      return writing(text)
    },
  } as const
  const step = defineTask({ ...common, name: 'steps.step' })
  const limited = defineTask({ ...common, name: 'steps.limited', limit: { concurrency: 1 } })
  const last = defineTask({
    name: 'steps.last',
    payload: z.object({ batch: BatchCounts }),
    async run({ payload: { batch } }) {
      const text = `${batch.done} of ${batch.size}`
      return (tx) => tx.insert(notesTable).values({ id: randomUUIDv7(), owner: 'work', text, pages: 1 })
    },
  })
  const yearly = defineSchedule({
    name: 'steps.yearly',
    cron: '0 0 1 1 *',
    timeZone: 'UTC',
    task: step,
    payload: { text: 'yearly' },
  })
  const feature = defineFeature({
    name: 'steps',
    description: 'Steps that do as they are told.',
    tasks: [step, limited, last],
    schedules: [yearly],
    routes: ({ database }) => [
      handle(route, async (c) =>
        c.json({ id: (await enqueue(c.var.tx, step, c.req.valid('json'))).id }, 201),
      ),
      handle(limitedRoute, async (c) =>
        c.json({ id: (await enqueue(c.var.tx, limited, c.req.valid('json'))).id }, 201),
      ),
      handle(cancelRoute, async (c) => {
        const count = await database.transaction((tx) => cancelBatch(tx, c.req.valid('param').id))
        return c.json({ count }, 200)
      }),
      handle(batchRoute, async (c) => {
        const steps = [c.req.valid('json')]
        return c.json({ id: (await enqueueMany(c.var.tx, step, steps, { finally: [last, {}] })).id }, 201)
      }),
    ],
  })
  return { feature, step }
}
