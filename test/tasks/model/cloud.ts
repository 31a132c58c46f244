import type { CloudTasks } from '#src/runtime/tasks/cloud-tasks.ts'
import { currentFiber, KilledError } from './interleave.ts'

/** A delivery that Cloud Tasks holds, or has held. */
export interface HeldDelivery {
  readonly task: string
  readonly dispatch: number
  readonly name: string
  /** By the clock of the test, in milliseconds since 1970; 0 if it is due at once. */
  readonly dueAt: number
}

/** Cloud Tasks in this process: it remembers what it was given, and the test delivers it. */
export function cloudTasksInMemory() {
  const held = new Map<string, HeldDelivery>()
  const all = new Map<string, HeldDelivery>()
  const client: CloudTasks = {
    async create({ id, url, body, scheduleTime }) {
      if (currentFiber()?.killed) throw new KilledError('killed')
      if (all.has(id)) return
      const { id: task, dispatch } = JSON.parse(body)
      const delivery = {
        task,
        dispatch,
        name: url.split('/').at(-1) ?? '',
        dueAt: scheduleTime?.getTime() ?? 0,
      }
      all.set(id, delivery)
      held.set(id, delivery)
    },
    has: async (id) => held.has(id),
  }
  const keyOf = (delivery: HeldDelivery) => [...held].find(([, other]) => other === delivery)?.[0]
  return {
    client,
    /** The deliveries that are due. */
    due: (now: number) => [...held.values()].filter(({ dueAt }) => dueAt <= now),
    /** All that it was ever given, and was due by then: it may deliver each once more. */
    all: (now: number) => [...all.values()].filter(({ dueAt }) => dueAt <= now),
    /** Forgets a delivery: it was acknowledged, or is lost. */
    remove: (delivery: HeldDelivery) => held.delete(keyOf(delivery) ?? ''),
    clear(): void {
      held.clear()
      all.clear()
    },
  }
}
