import { backoff } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Oidc } from './oidc.ts'
import type { Queue } from './queue.ts'
import type { Answer, Sender } from './send.ts'
import type { QueueSettings } from './settings.ts'
import type { Task } from './task.ts'

/** An attempt that is over: the URL it called, which one it was from 1, and the status, 504 where no answer came. */
export interface AttemptMade extends Pick<Task, 'url' | 'method'> {
  readonly queue: string
  readonly task: string
  readonly attempt: number
  readonly status: number
  readonly outcome: 'done' | 'retried' | 'dropped' | 'gone'
  /** When it was dispatched, in milliseconds since 1970. */
  readonly at: number
}

/** Delivers the tasks of queues. */
export type Dispatcher = ReturnType<typeof createDispatcher>

type Options = { clock: Clock; oidc: Oidc; sender: Sender; faults: Faults; log: (line: string) => void }

/** A dispatcher. With a manual clock it dispatches only while it settles. */
export function createDispatcher({ clock, oidc, sender, faults, log }: Options) {
  const inFlight = new Set<Promise<void>>()
  const alarms = new Map<Queue, () => void>()
  const recent: AttemptMade[] = []
  let settling: AttemptMade[] | undefined
  let closed = false

  /** Dispatches what may be dispatched now, and sets the alarm for what comes next. */
  function pump(queue: Queue): void {
    if (closed || (clock.advance && !settling)) return
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
    queue.inFlight += 1
    const running = attempt(queue, task).finally(() => {
      queue.inFlight -= 1
      inFlight.delete(running)
      pump(queue)
    })
    inFlight.add(running)
  }

  async function attempt(queue: Queue, task: Task): Promise<void> {
    const at = clock.now()
    const headers = headersOf(queue, task) // they count what was before
    const number = ++task.dispatchCount
    task.firstDispatch ??= at
    if (task.oidc) headers.Authorization = `Bearer ${await oidc.token(task.oidc.audience, task.oidc.email)}`
    const deliver = () => sender.send({ ...task, headers })
    const twin = faults.happens('duplicateAtOnce') ? deliver() : undefined
    let answer = await deliver()
    if (faults.happens('duplicate')) await deliver()
    await twin
    if (isSuccess(answer) && faults.happens('loseAck')) answer = { problem: `${answer.status}, lost` }
    if (closed) return

    const status = 'status' in answer ? answer.status : 504
    task.lastStatus = status
    if ('status' in answer) task.responseCount += 1
    if (status < 500) task.executionCount += 1
    const outcome = conclude(queue, task, isSuccess(answer))
    const { method, url, id } = task
    const made = { queue: queue.name, task: id, method, url, attempt: number, status, outcome, at }
    settling?.push(made)
    if (recent.push(made) > 200) recent.splice(0, 100)
    const said = 'status' in answer ? status : answer.problem
    const next = outcome === 'retried' ? `again in ${(task.scheduleTime - clock.now()) / 1000} s` : outcome
    log(`${queue.id}/${id} attempt ${number}: ${method} ${url} ${said} in ${clock.now() - at} ms, ${next}`)
  }

  function conclude(queue: Queue, task: Task, success: boolean): AttemptMade['outcome'] {
    if (queue.tasks.get(task.id) !== task) return 'gone' // deleted meanwhile, or ended by another attempt
    const now = clock.now()
    const age = now - (task.firstDispatch ?? now)
    if (success || isExhausted(task.dispatchCount, age, queue.settings.retryConfig)) {
      queue.remove(task, now)
      return success ? 'done' : 'dropped'
    }
    task.scheduleTime = now + backoff(task.dispatchCount, queue.settings.retryConfig)
    schedule(queue, task)
    return 'retried'
  }

  /** Dispatches what is due until nothing is, nor in flight. Returns the attempts made meanwhile. */
  async function settle(queues: readonly Queue[]): Promise<AttemptMade[]> {
    const made: AttemptMade[] = []
    settling = made
    for (const queue of queues) pump(queue)
    await idle()
    settling = undefined
    return made
  }

  async function idle(): Promise<void> {
    while (inFlight.size > 0) await Promise.all(inFlight)
  }

  /** Ends all: resolves when the sender has given up what is in flight. */
  function close(): Promise<void> {
    closed = true
    for (const cancel of alarms.values()) cancel()
    return idle()
  }

  return { pump, schedule, dispatch, settle, close, recent }
}

/**
 * Whether the queue gives the task up: when it reached every limit there is. A limit that is off (-1 attempts,
 * an age of 0) is none; without any, it goes on for ever.
 */
export function isExhausted(attempts: number, age: number, config: QueueSettings['retryConfig']): boolean {
  const { maxAttempts, maxRetryDuration } = config
  if (maxAttempts === -1 && maxRetryDuration === 0) return false
  return (maxAttempts === -1 || attempts >= maxAttempts) && age >= maxRetryDuration
}

/** The headers of the task's next dispatch, but for its token. Retries have a reason, which is always empty. */
function headersOf(queue: Queue, task: Task): Record<string, string> {
  const { headers, dispatchCount, executionCount, scheduleTime, lastStatus } = task
  return {
    ...headers,
    'User-Agent': 'Google-Cloud-Tasks',
    'X-CloudTasks-QueueName': queue.id,
    'X-CloudTasks-TaskName': task.id,
    'X-CloudTasks-TaskRetryCount': `${dispatchCount}`,
    'X-CloudTasks-TaskExecutionCount': `${executionCount}`,
    'X-CloudTasks-TaskETA': (scheduleTime / 1000).toFixed(6),
    ...(lastStatus && {
      'X-CloudTasks-TaskPreviousResponse': `${lastStatus}`,
      'X-CloudTasks-TaskRetryReason': '',
    }),
  }
}

function isSuccess(answer: Answer): answer is { status: number } {
  return 'status' in answer && answer.status >= 200 && answer.status < 300
}
