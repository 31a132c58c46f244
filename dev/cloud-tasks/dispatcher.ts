import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Oidc } from './oidc.ts'
import type { Queue } from './queue.ts'
import { backoff, isExhausted } from './retry.ts'
import type { Send, Sent } from './send.ts'
import type { Task } from './task.ts'

/** An attempt that has ended: what it called, and when, in milliseconds since 1970. */
interface Attempt extends Record<'queue' | 'task' | 'method' | 'url', string> {
  /** Its number, from 1. */
  readonly attempt: number
  /** 504 if there was no response. */
  readonly status: number
  readonly outcome: 'done' | 'retried' | 'dropped' | 'gone'
  readonly at: number
  readonly durationMs: number
  /** What was sent. Of the token, only whose it is. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The start of the response's body. */
  readonly response: string
  /** Why there was no response, or none that counted. */
  readonly problem?: string
  /** Whether it was delivered a second time. */
  readonly twice?: boolean
}

/** Delivers the tasks of queues. */
export type Dispatcher = ReturnType<typeof createDispatcher>

type Log = (line: string, done?: boolean) => void
type Options = { clock: Clock; oidc: Oidc; send: Send; faults: Faults; log: Log; closed: AbortSignal }

/** Creates a dispatcher, which works until `closed`. With a manual clock it dispatches only in `settle`. */
export function createDispatcher({ clock, oidc, send, faults, log, closed }: Options) {
  const inFlight = new Set<Promise<void>>()
  const timers = new Map<Queue, () => void>()
  const recent: Attempt[] = []
  let settling: Attempt[] | undefined
  closed.addEventListener('abort', () => {
    for (const cancel of timers.values()) cancel()
  })

  /** Dispatches what may be dispatched now, and sets a timer for what comes next. */
  function pump(queue: Queue): void {
    if (closed.aborted || (clock.advance && !settling)) return
    while (queue.readyAt() <= clock.now()) dispatch(queue, queue.next(faults.choice()))
    timers.get(queue)?.()
    const wait = queue.readyAt() - clock.now()
    if (clock.advance || wait === Number.POSITIVE_INFINITY) return
    const cancel = clock.after(wait, () => pump(queue))
    timers.set(queue, cancel)
  }

  /** Plans the task for its schedule time. */
  function schedule(queue: Queue, task: Task): void {
    queue.schedule(task, task.scheduleTime + faults.delay())
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
    const headers = headersOf(queue, task) // they count what came before
    const number = ++task.dispatchCount
    task.firstDispatch ??= at
    const { status, response = '', problem, twice } = await deliver(task, headers)
    if (closed.aborted) return

    task.lastStatus = status
    if (!problem) task.responseCount += 1
    if (status < 500) task.executionCount += 1
    const outcome = conclude(queue, task, isSuccess(status))
    const { httpMethod: method, url, body = '', oidcToken } = task.httpRequest
    const token = oidcToken && { Authorization: `Bearer (a token of ${oidcToken.serviceAccountEmail})` }
    const durationMs = clock.now() - at
    const made: Attempt = {
      ...{ queue: queue.name, task: task.id, method, url, attempt: number, status, outcome, at, durationMs },
      ...{ headers: { ...headers, ...token }, body: body.toString(), response },
      ...{ ...(problem && { problem }), ...(twice && { twice }) },
    }
    settling?.push(made)
    if (recent.push(made) > 200) recent.splice(0, 100)
    const next = outcome === 'retried' ? `retry in ${(task.scheduleTime - clock.now()) / 1000} s` : outcome
    const came = `${problem ?? status} in ${durationMs} ms`
    log(`${queue.id}/${task.id} attempt ${number}: ${method} ${url} ${came}, ${next}`, outcome === 'done')
  }

  async function deliver(task: Task, headers: Record<string, string>): Promise<Sent & { twice?: boolean }> {
    const { httpMethod: method, url, body, oidcToken: account } = task.httpRequest
    if (account) headers.Authorization = await oidc.bearer(account.audience, account.serviceAccountEmail)
    const once = () => send({ method, url, headers, body, deadline: task.dispatchDeadline })
    const twin = faults.happens('duplicateAtOnce') ? once() : undefined
    const sent = await once()
    const again = faults.happens('duplicate') && (await once())
    await twin
    const twice = twin || again
    const lost = isSuccess(sent.status) && faults.happens('loseAck')
    if (lost) return { ...sent, status: 504, problem: `${sent.status}, lost` }
    return { ...sent, ...(twice && { twice: true }) }
  }

  function conclude(queue: Queue, task: Task, success: boolean): Attempt['outcome'] {
    if (queue.tasks.get(task.id) !== task) return 'gone' // somebody deleted it meanwhile, or another attempt ended it
    const now = clock.now()
    const age = now - (task.firstDispatch ?? now)
    if (success || isExhausted(task.dispatchCount, age, queue.retryConfig)) {
      queue.remove(task)
      return success ? 'done' : 'dropped'
    }
    task.scheduleTime = now + backoff(task.dispatchCount, queue.retryConfig)
    schedule(queue, task)
    return 'retried'
  }

  /** Dispatches until no task is due or in flight. Returns the attempts made meanwhile. */
  async function settle(queues: readonly Queue[]): Promise<Attempt[]> {
    const made: Attempt[] = []
    settling = made
    for (const queue of queues) pump(queue)
    await idle()
    settling = undefined
    return made
  }

  /** Resolves when nothing is in flight. */
  async function idle(): Promise<void> {
    while (inFlight.size > 0) await Promise.all(inFlight)
  }
  return { pump, schedule, dispatch, settle, idle, recent }
}

/** The headers of the task's next dispatch, without its token. A retry has a reason, which is always empty. */
function headersOf(queue: Queue, task: Task): Record<string, string> {
  const { httpRequest, dispatchCount, executionCount, scheduleTime, lastStatus } = task
  return {
    ...httpRequest.headers,
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

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
