import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Transaction } from '#src/runtime/database/database.ts'
import { BatchCounts } from '#src/runtime/tasks/batch-counts.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { concurrency, maxAttempts } from './model.ts'

/** What the test sees and says while an attempt runs. */
export interface Witness {
  /** An attempt has come to its code. @throws if it should not run */
  begin(id: string, attempt: number): Promise<void>
  /** The attempt is at a step that was not finished before. @throws if it is told to fail */
  work(id: string): Promise<void>
  /** The task has come further: its attempts count from one again. */
  progress(id: string): void
  /** The attempt comes to its sleep and its wait: if they are not over, the next one is the first. */
  suspend(id: string): void
  /** They are over. */
  resume(id: string): void
  /** The attempt has done its work. */
  end(id: string): void
}

const payload = z.object({ key: z.string() })
const retry = { attempts: maxAttempts, backoff: { min: '5s', max: '5s' } } as const

/** Writes that something was done: once, or something is wrong. */
function effect(task: string, what: string) {
  return async (tx: Transaction): Promise<undefined> => {
    await tx.execute(sql`insert into model_effects (task, what) values (${task}, ${what})`)
  }
}

/** The tasks of the model. Each tells the witness what it does. */
export function modelTasks(witness: Witness) {
  async function write(id: string, attempt: number, what: string) {
    await witness.begin(id, attempt)
    await witness.work(id)
    witness.end(id)
    return effect(id, what)
  }
  const plain = defineTask({
    name: 'model.plain',
    payload,
    retry,
    run: ({ idempotencyKey: id, attempt }) => write(id, attempt, 'end'),
  })
  const limited = (kind: 'one' | 'two') =>
    defineTask({
      name: `model.${kind}`,
      payload,
      retry,
      limit: { key: ({ key }) => key, concurrency: concurrency[kind] ?? 1 },
      run: ({ idempotencyKey: id, attempt }) => write(id, attempt, 'end'),
    })
  const final = defineTask({
    ...{ name: 'model.final', payload: z.object({ batch: BatchCounts }), retry },
    run: ({ idempotencyKey: id, attempt, payload: { batch } }) =>
      write(id, attempt, `${batch.done} ${batch.dead} ${batch.cancelled}`),
  })
  const steps = defineTask({
    ...{ name: 'model.steps', payload, retry, signals: { go: z.object({ n: z.int() }) } },
    async run({ idempotencyKey: id, attempt, payload: { key }, step, sleep, waitFor }) {
      await witness.begin(id, attempt)
      const undo = async () => effect(id, 'undo one')
      let isNew = false
      const worked = async (what: string) => {
        isNew = true
        await witness.work(id)
        return effect(id, what)
      }
      await step('one', () => worked('one'), { undo })
      if (isNew) witness.progress(id)
      witness.suspend(id)
      await sleep('nap', '20s')
      const came = await waitFor('go', { key, timeout: '2m' })
      witness.resume(id)
      await step('two', () => worked(`two ${came?.n ?? 'late'}`))
      witness.progress(id)
      witness.end(id)
      return effect(id, 'end')
    },
  })
  return { plain, one: limited('one'), two: limited('two'), final, steps }
}

export type ModelTasks = ReturnType<typeof modelTasks>

/** An error that a task is told to throw. */
export function toldTo(end: 'fail' | 'fatal'): Error {
  return end === 'fatal' ? fatal('It was told to fail for good') : new Error('It was told to fail')
}
