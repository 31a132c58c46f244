import type { z } from 'zod'
import { type Duration, toMilliseconds } from '../kernel/duration.ts'
import { checkKey } from './enqueue-key.ts'
import { runStep, type StatedStep } from './run-step.ts'
import { Suspension } from './step-ends.ts'
import type { StepScope } from './step-scope.ts'
import { finishStep } from './step-store.ts'
import type { StepWords } from './step-types.ts'
import { signalSchema } from './task.ts'
import { startSleep, startWait, takeSignal, waitName } from './wait-store.ts'

type Work = StatedStep['work']
type Options = StatedStep['options']

/**
 * Creates what `run` gets to be a task of several steps.
 *
 * @param signal aborts when the attempt ends early
 */
export function createStepWords(scope: StepScope, signal: AbortSignal): StepWords {
  const { task, row, database } = scope.options

  function step(name: string, ...rest: [z.ZodType, Work, Options?] | [Work, Options?]): Promise<unknown> {
    const [schema, work, options = {}] = hasSchema(rest) ? rest : [undefined, ...rest]
    const stated: StatedStep = { name, kind: 'step', schema, work, options, signal }
    return scope.enter(stated, (known) => runStep(scope, stated, known))
  }

  function sleep(name: string, until: Duration | Date): Promise<void> {
    return scope.enter({ name, kind: 'sleep' }, async (known) => {
      if (known?.finished) return
      const what = `The task ${task.name}, sleep ${name}`
      const end = known?.until ?? (until instanceof Date ? until : toMilliseconds(until, what))
      throw new Suspension(`the sleep ${name}`, () => startSleep(database, row, name, end))
    })
  }

  function waitFor(name: string, options: { key?: string; timeout: Duration }): Promise<unknown> {
    const { key = row.id } = options
    return scope.enter({ name, kind: 'wait', key }, async (known) => {
      const schema = signalSchema(task, name)
      if (!schema)
        throw scope.refusal(
          name,
          `it has no such signal. Add it to the task: signals: { ${name}: z.object({ … }) }.`,
        )
      checkKey(task, key)
      const timeoutMs = toMilliseconds(options.timeout, `The task ${task.name}, wait ${name}: its timeout`)
      const stored = known?.finished ? known.result : await takeSignal(database, row, { name, key })
      if (stored) return scope.decode(name, schema, (stored as { payload: unknown }).payload)
      if (known?.finished) return undefined
      if (!known?.late)
        throw new Suspension(`the signal ${name}`, () =>
          startWait(database, row, { name, key }, known?.until ?? timeoutMs),
        )
      const write = { name: waitName({ name, key }), kind: 'wait', tookMs: 0 } as const
      if (!(await finishStep(database, row, write, undefined))) throw scope.lost()
      return undefined
    })
  }

  return { step: step as StepWords['step'], sleep, waitFor: waitFor as StepWords['waitFor'] }
}

function hasSchema(rest: readonly unknown[]): rest is [z.ZodType, Work, Options?] {
  return typeof rest[0] !== 'function'
}
