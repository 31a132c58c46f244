import { backoff } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Oidc } from './oidc.ts'
import type { Queue } from './queue.ts'
import { type Answer, createSender } from './send.ts'
import type { QueueSettings } from './settings.ts'
import type { Task } from './task.ts'

/** An attempt that is over, as the queue took it: 504 stands for no response. */
export interface AttemptMade {
  readonly queue: string
  readonly task: string
  readonly method: string
  readonly url: string
  /** From 1. */
  readonly attempt: number
  readonly status: number
  readonly outcome: 'done' | 'retried' | 'dropped' | 'gone'
  /** When it was dispatched, in milliseconds since 1970. */
  readonly at: number
}

/** Delivers the tasks of queues. */
export type Dispatcher = ReturnType<typeof createDispatcher>

/** A dispatcher. With a manual clock it dispatches only when told to. */
export function createDispatcher(options: {
  clock: Clock
  oidc: Oidc
  faults: Faults
  log: (line: string) => void
}) {
  const { clock, oidc, faults, log } = options
  const sender = createSender(clock)
  const inFlight = new Set<Promise<void>>()
  const alarms = new Map<Queue, () => void>()
  const recent: AttemptMade[] = []
  const listeners = new Set<(made: AttemptMade) => void>([(made) => void recent.push(made)])
  let closed = false

  /** Dispatches what may be dispatched now, and sets the alarm for what comes next. */
  function pump(queue: Queue): void {
    if (closed || (clock.advance && listeners.size === 1)) return
    const choose = (due: () => number) =>
      faults.happens('reorder') ? Math.floor(faults.random('choice') * due()) : 0
    for (let task = queue.take(clock.now(), choose); task; task = queue.take(clock.now(), choose)) {
      dispatch(queue, task)
    }
    alarms.get(queue)?.()
    alarms.delete(queue)
    const at = clock.advance ? undefined : queue.wakeAt(clock.now())
    if (at !== undefined)
      alarms.set(
        queue,
        clock.after(at - clock.now(), () => pump(queue)),
      )
  }

  /** Plans the task for its schedule time. */
  function schedule(queue: Queue, task: Task): void {
    const delay = faults.happens('delay') ? faults.random('length') * faults.delayUpTo : 0
    queue.schedule(task, task.scheduleTime + delay)
    pump(queue)
  }

  /** Dispatches the task now, whatever the queue's state and limits, in place of the planned dispatch. */
  function dispatch(queue: Queue, task: Task): void {
    queue.unschedule(task)
    const now = clock.now()
    const headers = headersOf(queue, task) // they count what was before this attempt
    task.dispatchCount += 1
    task.firstDispatch ??= now
    task.lastAttempt = { scheduleTime: task.scheduleTime, dispatchTime: now }
    queue.inFlight += 1
    const running = attempt(queue, task, headers).finally(() => {
      queue.inFlight -= 1
      inFlight.delete(running)
      pump(queue)
    })
    inFlight.add(running)
  }

  async function attempt(queue: Queue, task: Task, headers: Record<string, string>): Promise<void> {
    const number = task.dispatchCount
    const made = task.lastAttempt
    const began = clock.now()
    if (task.oidc) headers.Authorization = `Bearer ${await oidc.token(task.oidc.audience, task.oidc.email)}`
    const deliver = () => sender.send({ ...task, headers })
    const twice = faults.happens('duplicateAtOnce') ? deliver() : undefined
    let answer = await deliver()
    if (faults.happens('duplicate')) await deliver()
    await twice
    if (isSuccess(answer) && faults.happens('loseAck')) answer = { problem: `${answer.status}, lost` }
    if (closed) return

    const now = clock.now()
    const status = 'status' in answer ? answer.status : 504
    if (made) Object.assign(made, { responseTime: now, status })
    if ('status' in answer) task.responseCount += 1
    if (status < 500) task.executionCount += 1
    const outcome = settle(queue, task, isSuccess(answer), now)
    const { method, url } = task
    const entry = {
      queue: queue.name,
      task: task.id,
      method,
      url,
      attempt: number,
      status,
      outcome,
      at: began,
    }
    for (const listener of listeners) listener(entry)
    if (recent.length > 200) recent.splice(0, 100)
    const said = 'status' in answer ? answer.status : answer.problem
    const next = outcome === 'retried' ? `, again in ${(task.scheduleTime - now) / 1000} s` : `, ${outcome}`
    log(
      `${queue.shortName}/${task.id} attempt ${number}: ${method} ${url} ${said} in ${now - began} ms${next}`,
    )
  }

  /** What becomes of the task. */
  function settle(queue: Queue, task: Task, success: boolean, now: number): AttemptMade['outcome'] {
    if (queue.tasks.get(task.id) !== task) return 'gone' // deleted meanwhile, or ended by another attempt
    const age = now - (task.firstDispatch ?? now)
    if (success || isExhausted(task.dispatchCount, age, queue.settings.retryConfig)) {
      queue.remove(task, now)
      return success ? 'done' : 'dropped'
    }
    task.scheduleTime = now + backoff(task.dispatchCount, queue.settings.retryConfig)
    schedule(queue, task)
    return 'retried'
  }

  return {
    pump,
    schedule,
    dispatch,
    recent,

    /** Dispatches what is due until nothing is, and nothing is in flight. Returns the attempts made meanwhile. */
    async settle(queues: Iterable<Queue>): Promise<AttemptMade[]> {
      const all: AttemptMade[] = []
      const listener = (made: AttemptMade) => void all.push(made)
      listeners.add(listener)
      for (const queue of queues) pump(queue)
      while (inFlight.size > 0) await Promise.all(inFlight)
      listeners.delete(listener)
      return all
    },

    /** Ends all, cutting what is in flight. */
    async close(): Promise<void> {
      closed = true
      for (const cancel of alarms.values()) cancel()
      sender.close()
      while (inFlight.size > 0) await Promise.all(inFlight)
    },
  }
}

/**
 * Whether the queue gives the task up: when it reached every limit there is. A limit that is off (-1 attempts,
 * an age of 0) is none; without any, it goes on for ever.
 */
export function isExhausted(attempts: number, age: number, config: QueueSettings['retryConfig']): boolean {
  const { maxAttempts, maxRetryDuration } = config
  const limits = [
    ...(maxAttempts === -1 ? [] : [attempts >= maxAttempts]),
    ...(maxRetryDuration === 0 ? [] : [age >= maxRetryDuration]),
  ]
  return limits.length > 0 && limits.every(Boolean)
}

/** The headers of the task's next dispatch, but for its token. The retry reason is there, and always empty. */
function headersOf(queue: Queue, task: Task): Record<string, string> {
  const previous = task.lastAttempt?.status
  return {
    ...task.headers,
    'User-Agent': 'Google-Cloud-Tasks',
    'X-CloudTasks-QueueName': queue.shortName,
    'X-CloudTasks-TaskName': task.id,
    'X-CloudTasks-TaskRetryCount': `${task.dispatchCount}`,
    'X-CloudTasks-TaskExecutionCount': `${task.executionCount}`,
    'X-CloudTasks-TaskETA': (task.scheduleTime / 1000).toFixed(6),
    ...(previous && {
      'X-CloudTasks-TaskPreviousResponse': `${previous}`,
      'X-CloudTasks-TaskRetryReason': '',
    }),
  }
}

function isSuccess(answer: Answer): answer is { status: number } {
  return 'status' in answer && answer.status >= 200 && answer.status < 300
}
