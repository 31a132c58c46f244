import type { z } from 'zod'
import type { Database } from '../database/database.ts'
import type { Log } from '../log/logger.ts'
import { LeaseLostError } from './lease.ts'
import type { Retry } from './retry.ts'
import { NotUnderstoodError, Suspension, UndoReached } from './step-ends.ts'
import { loadSteps, recordFailedTry, type StoredStep } from './step-store.ts'
import type { StepOptions } from './step-types.ts'
import type { StepKind } from './steps-table.ts'
import { unstorable } from './storable-json.ts'
import { roundTripJson, type Task } from './task.ts'
import { type FatalError, fatal } from './task-errors.ts'
import type { ClaimedRow } from './transitions.ts'
import { waitName } from './wait-store.ts'

/** What the steps of an attempt need. */
export interface StepsOptions {
  readonly database: Database
  readonly log: Log
  readonly task: Task
  readonly row: ClaimedRow
}

/** A step that has failed, and what it says about its retries. */
export interface FailedStep {
  readonly name: string
  readonly kind: StepKind
  readonly tookMs: number
  readonly retry: Retry | undefined
}

/** What names a step, a sleep or a wait. */
export interface EnteredStep {
  readonly name: string
  readonly kind: StepKind
  readonly key?: string
}

/** The undo of a finished step, and what the step has returned. */
export interface StatedUndo {
  readonly undo: NonNullable<StepOptions<unknown, z.ZodType>['undo']>
  readonly result: unknown
}

type Work<Value> = (known: StoredStep | undefined) => Promise<Value>

const maxSteps = 1_000
const maxValueBytes = 256 * 1024
const maxTaskBytes = 4 * 1024 * 1024

/**
 * What all steps of one attempt share. It lets them run one at a time, and remembers what ended the attempt. What earlier
 * attempts have stored is read once, at the first use.
 */
export class StepScope {
  readonly options: StepsOptions
  failed: FailedStep | undefined
  /** The undos of the finished steps, as far as `run` has stated them. */
  readonly undos = new Map<string, StatedUndo>()
  /** What `run` has thrown of its own when it was called for the undos. */
  runError: unknown
  readonly #used = new Set<string>()
  /** What a step has thrown. It ends the attempt, even if `run` catches it. */
  #thrown: Error | undefined
  #stored: Promise<ReadonlyMap<string, StoredStep>> | undefined
  #count = 0
  #bytes = 0
  #running: string | undefined
  #closed = false

  constructor(options: StepsOptions) {
    this.options = options
  }

  /**
   * Does the work of a step, a sleep or a wait, which gets what is stored of it.
   *
   * @param step.key the key of the signal that a wait is for. With it, `name` may be used several times
   */
  enter<Value>(step: EnteredStep, work: Work<Value>): Promise<Value> {
    const entered = this.#enter(step, work)
    entered.catch(() => {}) // if nobody awaits it, close() throws the same
    return entered
  }

  async #enter<Value>({ name: given, kind, key }: EnteredStep, work: Work<Value>): Promise<Value> {
    const name = key === undefined ? given : waitName({ name: given, key })
    if (this.#closed)
      throw this.refusal(name, 'it was called after its attempt had ended. Await each step in run.')
    if (this.#thrown) throw this.#thrown
    try {
      this.#check(name, given)
    } catch (error) {
      throw this.#end(error)
    }
    this.#running = name
    this.#used.add(name)
    try {
      this.#stored ??= this.#load()
      const known = (await this.#stored).get(name)
      if (!known && ++this.#count > maxSteps)
        throw this.refusal(name, 'a task may have 1,000 steps. Enqueue a task for the rest.')
      if (known && known.kind !== kind)
        throw new NotUnderstoodError(
          `this revision has a ${kind} ${name}, and its task a ${known.kind} of this name`,
        )
      if (this.options.row.undoing && !known?.finished) throw new UndoReached('The undos start here')
      return await work(known)
    } catch (error) {
      throw this.#end(error)
    } finally {
      this.#running = undefined
    }
  }

  /** Why the attempt ends, if it has not failed: it counts more than what `run` throws. */
  get end(): Suspension | NotUnderstoodError | undefined {
    const error = this.#thrown
    return error instanceof Suspension || error instanceof NotUnderstoodError ? error : undefined
  }

  /**
   * Calls `run` up to the first step that is not finished.
   *
   * @returns the finished steps that have an undo, the last one first
   * @throws {NotUnderstoodError} if a stored result is not what this revision takes
   */
  async stateUndos(run: () => Promise<unknown>): Promise<StoredStep[]> {
    await run().catch((error) => {
      if (!(this.#thrown instanceof UndoReached)) this.runError = error
    })
    if (this.end) throw this.end
    this.shut()
    this.#thrown = undefined
    this.#stored ??= this.#load()
    const found = [...(await this.#stored).values()]
    return found.filter(({ undoable, finished }) => undoable && finished).reverse()
  }

  /** Ends the steps. @throws what a step has thrown, if `run` has caught it; an error if a step still runs */
  close(): void {
    this.shut()
    if (this.#thrown) throw this.#thrown
    if (this.#running !== undefined)
      throw this.refusal(this.#running, 'run has returned before this step had ended. Await each step.')
  }

  /** Records the step that has failed, if the attempt still has the task. */
  async recordFailure(error: string): Promise<void> {
    const { database, row } = this.options
    if (this.failed) await recordFailedTry(database, row, this.failed, error)
  }

  /** Ends the steps: whatever is called later is refused. */
  shut(): void {
    this.#closed = true
  }

  /** The error of an attempt that no longer has its task. */
  lost(): LeaseLostError {
    return new LeaseLostError('The task was cancelled, or another process has taken it')
  }

  /** Whether a step of this name runs now. */
  isRunning(name: string): boolean {
    return !this.#closed && this.#running === name
  }

  /** An error that no retry can repair: the code uses steps in a wrong way. */
  refusal(name: string, what: string): FatalError {
    return fatal(`The task ${this.options.task.name}, step ${name}: ${what}`)
  }

  /**
   * The JSON of what a step stores, and what the schema makes of it.
   *
   * @throws {Error} if the schema does not take it; `FatalError` if it is too large, or PostgreSQL cannot store it
   */
  encode(name: string, what: string, schema: z.ZodType, value: unknown): { json: string; value: unknown } {
    const stored = roundTripJson(this.options.task, value, `the ${what} of its step ${name}`)
    const json = JSON.stringify(stored)
    const refused = unstorable(json)
    if (refused)
      throw this.refusal(name, `its ${what} has ${refused}, which PostgreSQL cannot store in JSON.`)
    const bytes = Buffer.byteLength(json)
    if (bytes > maxValueBytes)
      throw this.refusal(
        name,
        `its ${what} has ${Math.ceil(bytes / 1024)} KiB, and may have 256. Store it elsewhere, and return where it is.`,
      )
    if (this.#bytes + bytes > maxTaskBytes)
      throw this.refusal(name, 'all results of a task may have 4 MiB together. Store them elsewhere.')
    const parsed = schema.safeParse(stored)
    if (parsed.success) return { json, value: parsed.data }
    throw new Error(
      `The task ${this.options.task.name}, step ${name}: its ${what} does not match its schema`,
      { cause: parsed.error },
    )
  }

  /** Counts what was stored. */
  stored(json: string | undefined): void {
    this.#bytes += json ? Buffer.byteLength(json) : 0
  }

  /** What was stored, as the schema parses it. @throws {NotUnderstoodError} if the schema does not take it */
  decode(name: string, schema: z.ZodType, value: unknown): unknown {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw new NotUnderstoodError(`this revision does not understand what its step ${name} has stored`)
  }

  #check(name: string, given: string): void {
    if (this.#running !== undefined)
      throw this.refusal(
        name,
        `it was called while ${this.#running} was running. Await each step before the next. Inside a step, use Promise.all without steps.`,
      )
    if (!/^[\w./@+-]{1,100}$/.test(given))
      throw this.refusal(name, 'a name is 1 to 100 letters, digits and _ . / @ + -, such as fetch or page-3.')
    if (this.#used.has(name))
      throw this.refusal(
        name,
        'this name is used twice in one run. In a loop, add a number to it, such as page-3.',
      )
  }

  #end(error: unknown): Error {
    const ended = error instanceof Error ? error : new Error('The step threw no error', { cause: error })
    this.#thrown ??= ended
    return ended
  }

  async #load(): Promise<ReadonlyMap<string, StoredStep>> {
    const { database, row } = this.options
    const found = await loadSteps(database, row)
    this.#count = found.length
    this.#bytes = found.reduce((sum, { bytes }) => sum + bytes, 0)
    return new Map(found.map((step) => [step.name, step]))
  }
}
