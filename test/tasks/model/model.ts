import type { TaskState } from '#src/runtime/tasks/table.ts'
import type { Fiber } from './interleave.ts'

/** What a task does: one write; one write, and one or two of a key at once; steps, a sleep and a wait; the end of a batch. */
export type Kind = 'plain' | 'one' | 'two' | 'steps' | 'final'

/** How many tasks of a key run at once. */
export const concurrency: Partial<Record<Kind, number>> = { one: 1, two: 2 }

/** How many attempts each task has. */
export const maxAttempts = 3

/** An attempt of a task that has come to its code. */
export interface Run {
  readonly task: ModelTask
  readonly fiber: Fiber
  /** Whether its code has returned. */
  over: boolean
  /** Identifies its claim. */
  readonly lease: string
  /** When its lease ends, by the test's clock, in milliseconds since 1970. */
  leasedUntil: number
}

/** What the model knows of a task. */
export interface ModelTask {
  readonly id: string
  readonly kind: Kind
  readonly key: string
  readonly batch: string | undefined
  /** What the next attempts do, in order; then all is well. */
  readonly ends: ('fail' | 'fatal')[]
  /** Whether a callback has come for it. */
  called: boolean
  /** The number that its next attempt has. */
  next: number
  /** What `next` was before it started to sleep or to wait. */
  before: number
  /** Whether its wait was over once. */
  waited: boolean
  /** Whether a process was killed, or two had it at once: what its attempts count cannot be known then. */
  unsure: boolean
  /** How many of its attempts have failed, or may have been cut off. */
  losses: number
  /** Whether an attempt has done its work. */
  mayBeDone: boolean
  /** Whether it was told to fail for good. */
  isFatal: boolean
  /** Whether somebody has tried to cancel it. */
  mayBeCancelled: boolean
  /** Whether somebody has tried to redrive it since it was last seen dead. */
  mayBeRedriven: boolean
  /** Whether its enqueuer has heard that it is there. */
  isThere: boolean
  last: TaskState | undefined
  lastDispatch: number
}

/** A signal that somebody has sent. */
export interface SentSignal {
  readonly key: string
  readonly n: number
  /** When its sender heard of its commit. */
  heardAt?: number
  accepted?: boolean
}

/** What the model knows of a task that was enqueued a moment ago. */
export function newTask(
  task: Pick<ModelTask, 'id' | 'kind' | 'key' | 'batch'> & { ends: readonly ('fail' | 'fatal')[] },
): ModelTask {
  return {
    ...{ ...task, ends: [...task.ends], called: false, next: 1, before: 1, waited: false },
    ...{ unsure: false, losses: 0, isFatal: false },
    ...{ mayBeDone: false, mayBeCancelled: false, mayBeRedriven: false },
    ...{ isThere: false, last: undefined, lastDispatch: 0 },
  }
}

/** The states that a task may be in now. */
export function allowedStates(task: ModelTask): Set<TaskState> {
  const { last } = task
  if (last === 'done' || last === 'cancelled') return new Set([last])
  const states = new Set<TaskState>()
  const isOver = last === 'dead' && !task.mayBeRedriven
  if (!isOver) {
    states.add('pending')
    states.add('queued')
    if (task.called) states.add('running')
    if (task.mayBeDone) states.add('done')
  } else if (task.mayBeCancelled && task.kind === 'steps') states.add('pending') // for its undos
  if (task.isFatal || task.losses >= maxAttempts) states.add('dead')
  if (task.mayBeCancelled) states.add('cancelled')
  return states
}
