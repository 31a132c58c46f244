import type { Step } from './build-file.ts'

/** How a step ended, and what it printed. */
export interface StepResult {
  readonly id: string
  readonly result: 'ok' | 'failed' | 'cancelled' | 'left out' | 'not run'
  readonly seconds: number
  readonly output: string
}

/** Runs a step. The signal cancels it. */
export type RunStep = (step: Step, signal: AbortSignal) => Promise<{ status: number; output: string }>

/**
 * Runs steps in the order of their `waitFor`. When one fails, those that run beside it are cancelled, and no other starts,
 * unless it may fail.
 *
 * @param options.without ids of steps to leave out, as if they had ended well
 * @param options.signal cancels all
 */
export async function runSteps(
  steps: readonly Step[],
  run: RunStep,
  options: { without?: readonly string[]; signal: AbortSignal },
): Promise<StepResult[]> {
  const failure = new AbortController()
  const stopped = AbortSignal.any([failure.signal, options.signal])
  const results: Promise<StepResult>[] = []

  async function follow(step: Step, before: readonly Promise<StepResult>[]): Promise<StepResult> {
    await Promise.all(before)
    const start = performance.now()
    const ended = (result: StepResult['result'], output = ''): StepResult => {
      return { id: step.id, result, output, seconds: (performance.now() - start) / 1000 }
    }
    if (options.without?.includes(step.id)) return ended('left out')
    if (stopped.aborted) return ended('not run')
    const late = AbortSignal.timeout(step.timeout * 1000)
    const { status, output } = await run(step, AbortSignal.any([stopped, late]))
    if (stopped.aborted) return ended('cancelled', output)
    if (status === 0 && !late.aborted) return ended(/^Left out: /m.test(output) ? 'left out' : 'ok', output)
    if (!step.allowFailure) failure.abort()
    return ended('failed', late.aborted ? `${output}Timed out\n` : output)
  }

  for (const step of steps) {
    const named = results.filter((_result, index) => step.waitFor.includes(`${steps[index]?.id}`))
    results.push(follow(step, step.waitFor.length > 0 ? named : [...results]))
  }
  return Promise.all(results)
}
