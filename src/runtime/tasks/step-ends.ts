import type { DeliveryRow } from './delivery.ts'

/** Ends an attempt that has come to a sleep or a wait. `run` must not catch it: it is thrown again by the next step. */
export class Suspension extends Error {
  override readonly name = 'Suspension'
  /** Gives the task back. @returns its next delivery; `undefined` if the lease was lost */
  readonly write: () => Promise<DeliveryRow | undefined>

  constructor(what: string, write: Suspension['write']) {
    super(`The task waits at ${what}: let this error pass, so that the attempt ends`)
    this.write = write
  }
}

/** What another revision has stored is not what this one takes. The task waits for a revision that does. */
export class NotUnderstoodError extends Error {
  override readonly name = 'NotUnderstoodError'
}

/** Ends `run` when it was called for the undos, at the first step that is not finished. */
export class UndoReached extends Error {
  override readonly name = 'UndoReached'
}
