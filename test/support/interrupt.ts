import type { Attempt, Task } from '#src/runtime/tasks/task.ts'
import { onServer } from './database.ts'

/** Where the next attempt at a task is cut off: after a step is finished, or before what its work returned is stored. */
export type Interruption = { readonly after: string } | { readonly during: string }

type AnyStep = (name: string, ...rest: unknown[]) => Promise<unknown>

/**
 * Cuts the next attempt at a task off at a step, as a killed process would: it writes nothing more, and its lease has run
 * out. Cloud Tasks delivers the task again.
 */
export function interruptTask(databaseUrl: string, task: Pick<Task, 'run'>, at: Interruption): void {
  const { run } = task
  const after = 'after' in at ? at.after : undefined
  const during = 'during' in at ? at.during : undefined

  async function cutOff(id: string): Promise<void> {
    const steal = `update runtime.tasks set lease = gen_random_uuid(),
      leased_until = runtime.service_now() - interval '1 ms' where id = $1`
    await onServer(databaseUrl, steal, [id])
  }

  function interrupted(attempt: Attempt): Attempt {
    const step = attempt.step as AnyStep
    const interrupting: AnyStep = async (name, ...rest) => {
      const works = rest.map((part) =>
        name !== during || typeof part !== 'function'
          ? part
          : async (...given: unknown[]) => {
              const value = await part(...given)
              await cutOff(attempt.idempotencyKey)
              return value
            },
      )
      const result = await step(name, ...works)
      if (name !== after) return result
      await cutOff(attempt.idempotencyKey)
      throw new Error(`The test has interrupted the task after its step ${name}`)
    }
    return { ...attempt, step: interrupting as Attempt['step'] }
  }

  Object.assign(task, {
    run(attempt: Attempt) {
      Object.assign(task, { run })
      return run(interrupted(attempt))
    },
  })
}
