import type { z } from 'zod'
import type { Config, Values } from '../config/config.ts'
import type { Variables } from '../config/parse-values.ts'
import type { Transaction } from '../database/database.ts'
import type { Reader } from '../database/reader.ts'
import { type Duration, toMilliseconds } from '../kernel/duration.ts'
import type { Log } from '../log/logger.ts'
import { type Limit, type LimitOptions, type Rate, readLimits } from './limit-options.ts'
import { payloadProblem } from './payload-checks.ts'
import { parseRetry, type Retry, type RetryOptions } from './retry.ts'
import type { Signals, StepWords } from './step-types.ts'

/** Writes that commit together with the state `done`. It may also enqueue further tasks. */
export type Effect = (tx: Transaction) => Promise<unknown>

type Result = Promise<Effect | undefined> | Promise<void>

/** What `run` gets for an attempt. */
export interface Attempt<
  Payload = unknown,
  V extends Variables = Record<never, never>,
  S extends Signals = Record<never, never>,
> extends StepWords<S> {
  readonly payload: Payload
  /** 1 for the first, and for the first after a step, a sleep or a wait that is over. */
  readonly attempt: number
  /** Aborts at the task's deadline, when the process stops, and when the task is cancelled or another process takes it. */
  readonly signal: AbortSignal
  /** The same for all attempts of the task. Send it with your calls to other services. */
  readonly idempotencyKey: string
  /** Who sent the request that enqueued the task; absent if that request had no caller. */
  readonly caller: { readonly subject: string } | undefined
  readonly log: Log
  /** For reading only. To write, return a function from `run`. */
  readonly database: Reader
  readonly config: Config & Values<V>
}

/** A task, as `defineTask` returns it. */
export interface Task<Payload extends z.ZodType = z.ZodType, S extends Signals = Record<never, never>> {
  readonly name: string
  readonly payload: Payload
  readonly signals: S
  readonly variables: Variables
  readonly retry: Retry
  /** How long an attempt may take, in milliseconds. */
  readonly deadlineMs: number
  readonly limit: Limit | undefined
  readonly rate: Rate | undefined
  /** The scopes of its calls as its caller; absent if it makes none. */
  readonly callerScopes: readonly string[] | undefined
  readonly run: (attempt: Attempt) => Result
}

/**
 * Declares a task. List it in its feature's `tasks`, and `enqueue` it.
 *
 * @param task.name the feature and a verb, such as `orders.fulfil`. Each row stores the name: if you rename a task, the
 *   service can no longer run the rows with the old name
 * @param task.payload the schema of what `enqueue` takes. JSON must be able to hold the value. It is checked at `enqueue` and
 *   again when the task runs, maybe by a later revision. So change the schema as carefully as that of a table
 * @param task.signals the schemas of the signals that `run` waits for, by name
 * @param task.variables the environment variables that `run` reads, beside those of its feature
 * @param task.retry 8 attempts, 5 s to 10 min apart, if absent; the wait doubles each time
 * @param task.deadline of one attempt, 15 s to 30 min (what Cloud Tasks allows); 4 min if absent. The
 *   service's REQUEST_TIMEOUT bounds it as well
 * @param task.limit how many tasks of this name with the same key run at once: `limit: { key: ({ customer }) => customer,
 *   concurrency: 1 }`. 1 if absent; without `key`, all tasks of the name count together. With `ordered: true`, they run in the order in
 *   which they were enqueued
 * @param task.rate how many attempts start in any period: `rate: { tasks: 10, per: '1m', key: ({ customer }) => customer }`
 * @param task.callerScopes allows `call(url, { as: 'caller' })` in `run`. The runtime signs a token for the caller, with these
 *   scopes and five minutes to live. Needs AUTH_SECRET
 * @param task.run does the work outside any transaction, so it may call other services. It returns what to write. It may
 *   run more than once; what it returned is committed exactly once
 * @throws {TypeError} for a name without a dot, a duration out of bounds, and a payload that JSON cannot hold
 * @example
 * import { eq } from 'drizzle-orm'
 * const fulfilOrder = defineTask({
 *   name: 'orders.fulfil',
 *   payload: z.object({ orderId: z.uuid() }),
 *   retry: { attempts: 8, backoff: { min: '5s', max: '10m' } },
 *   async run({ payload: { orderId } }) {
 *     await call(`https://warehouse.example.com/${orderId}`, { method: 'PUT' })
 *     return (tx) => tx.update(orders).set({ item: 'Sent' }).where(eq(orders.id, orderId))
 *   },
 * })
 */
export function defineTask<
  Payload extends z.ZodType,
  const V extends Variables = Record<never, never>,
  const S extends Signals = Record<never, never>,
>(
  task: LimitOptions<(payload: z.output<Payload>) => string> & {
    name: string
    payload: Payload
    signals?: S
    variables?: V
    retry?: RetryOptions
    deadline?: Duration
    callerScopes?: readonly string[]
    run: (attempt: Attempt<z.output<Payload>, V, S>) => Result
  },
): Task<Payload, S> {
  const { name, payload, variables, run } = task
  const wrong = (what: string) => new TypeError(`The task ${name}: ${what}`)
  const deadline = toMilliseconds(task.deadline ?? '4m', `The task ${name}: its deadline`)
  if (!isTaskName(name)) throw wrong('its name must be its feature, a dot and a verb, such as orders.fulfil.')
  const retry = parseRetry(`The task ${name}`, task.retry)
  if (deadline < 15_000 || deadline > 1_800_000) throw wrong('its deadline must be from 15s to 30m.')
  const problem = payloadProblem(payload)
  if (problem) throw wrong(problem)
  const signals = task.signals ?? ({} as S)
  for (const [signal, schema] of Object.entries(signals)) {
    const problem = payloadProblem(schema, `its signal ${signal}`)
    if (problem) throw wrong(problem)
  }
  return {
    name,
    payload,
    signals,
    variables: variables ?? {},
    retry,
    deadlineMs: deadline,
    callerScopes: task.callerScopes,
    ...readLimits(name, task),
    run: run as unknown as Task['run'],
  }
}

/** Whether it is a valid name of a task: letters, digits, `_` and `-`, with at least one dot in between. */
export function isTaskName(name: string): boolean {
  return /^[A-Za-z][\w-]*(\.[\w-]+)+$/.test(name) && name.length <= 100
}

/**
 * A value after a round trip through JSON, as the table stores it.
 *
 * @param what names the value, for the message
 * @throws {TypeError} if JSON cannot hold the value, such as a bigint or a circular reference; the message names the task
 */
export function roundTripJson(
  task: { readonly name: string },
  value: unknown,
  what = 'its payload',
): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch (cause) {
    throw new TypeError(`The task ${task.name}: ${what} cannot be stored as JSON.`, { cause })
  }
}

/** The schema of a signal; `undefined` if the task does not declare it. */
export function signalSchema(task: { readonly signals: Signals }, name: string): z.ZodType | undefined {
  return Object.hasOwn(task.signals, name) ? task.signals[name] : undefined
}
