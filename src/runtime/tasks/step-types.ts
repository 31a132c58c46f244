import type { z } from 'zod'
import type { Transaction } from '../database/database.ts'
import type { Duration } from '../kernel/duration.ts'
import type { RetryOptions } from './retry.ts'

/** Writes that commit together with the result of a step. */
export type StepEffect<Result = unknown> = (tx: Transaction) => Promise<Result>

/** What the work of a step gets. */
export interface StepRun<Cursor = never> {
  /** Aborts as that of the attempt does. */
  readonly signal: AbortSignal
  /** The same for all tries of this step of this task. Send it with your calls to other services. */
  readonly idempotencyKey: string
  /** What was saved last; `undefined` at first. The type is that of the step's option `cursor`. */
  readonly cursor: Cursor | undefined
  /**
   * Saves how far the step has come: the next try gets this cursor. With an effect, what it writes and the cursor commit
   * together.
   */
  save(cursor: Cursor, effect?: StepEffect): Promise<void>
}

/** What the undo of a step gets. */
export interface UndoRun<Result> {
  /** What the step returned. */
  readonly result: Result
  readonly signal: AbortSignal
  /** The same for all tries of this undo. It differs from that of the step. */
  readonly idempotencyKey: string
}

/** How a step is tried, continued and undone. */
export interface StepOptions<Result, Cursor extends z.ZodType> {
  /** How often the step is tried, and how long the waits are. What is absent is as the task says. */
  readonly retry?: RetryOptions
  /** The schema of what `save` stores. */
  readonly cursor?: Cursor
  /** Runs if the task dies, or is cancelled, after this step: the last step's first. It may return writes, as a step may. */
  readonly undo?: (undo: UndoRun<Result>) => Promise<StepEffect | undefined> | Promise<void>
}

/** Runs a part of a task until it succeeds once, and stores what it returns: see `Attempt`. */
export interface Step {
  <Result extends z.ZodType, Cursor extends z.ZodType = z.ZodNever>(
    name: string,
    result: Result,
    work: (run: StepRun<z.output<Cursor>>) => Promise<z.input<Result>> | Promise<StepEffect<z.input<Result>>>,
    options?: StepOptions<z.output<Result>, Cursor>,
  ): Promise<z.output<Result>>
  <Cursor extends z.ZodType = z.ZodNever>(
    name: string,
    work: (run: StepRun<z.output<Cursor>>) => Promise<StepEffect | undefined> | Promise<void>,
    options?: StepOptions<undefined, Cursor>,
  ): Promise<void>
}

/** The schemas of the signals that a task may get, by name. */
export type Signals = Readonly<Record<string, z.ZodType>>

/** What `run` gets to be a task of several steps. */
export interface StepWords<S extends Signals = Record<never, never>> {
  /**
   * Runs `work` until it succeeds once. Its result is stored as JSON. An attempt that comes later gets the stored result.
   * `work` may return a function: what that writes, and what it returns, commit together.
   */
  readonly step: Step
  /** Gives the task back until this time has passed, or has come. No attempt is counted. */
  sleep(name: string, until: Duration | Date): Promise<void>
  /**
   * Gives the task back until somebody sends this signal, or `timeout` has passed.
   *
   * @param options.key which of the signals of this name it is; the task's own id if absent
   * @returns what was sent; `undefined` after the time-out
   */
  waitFor<Name extends keyof S & string>(
    name: Name,
    options: { key?: string; timeout: Duration },
  ): Promise<z.output<S[Name]> | undefined>
}
