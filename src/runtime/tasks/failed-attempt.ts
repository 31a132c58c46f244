import { errorMessage } from '../log/error-fields.ts'
import type { Failure } from './attempt-errors.ts'
import { currentRevision } from './outbox.ts'
import type { StepScope } from './step-scope.ts'

/** Why an attempt has ended without success. */
export interface FailedAttempt {
  readonly error: unknown
  /** How long it took; absent if its process ended. */
  readonly ms?: number
  readonly steps?: StepScope
}

/** What the task keeps of it. */
export function toFailure({ error, ms, steps }: FailedAttempt): Failure {
  const revision = currentRevision()
  return {
    error: errorMessage(error),
    ...(ms !== undefined && { ms }),
    ...(steps?.failed && { step: steps.failed.name }),
    ...(revision && { revision }),
  }
}
