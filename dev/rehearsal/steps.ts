import type { Step } from './build-file.ts'

/** How a step ended, and what it printed. */
export interface StepResult {
  readonly id: string
  readonly result: 'ok' | 'failed' | 'cancelled' | 'left out' | 'not run'
  readonly seconds: number
  readonly output: string
}

/** Runs a step, until the signal at most. */
export type RunStep = (step: Step, signal: AbortSignal) => Promise<{ status: number; output: string }>

/**
 * Runs steps as their `waitFor` says. One that fails has those cancelled that run beside it, and no other begins.
 *
 * @param options.without ids of steps that are left out, as if they had ended well
 * @param options.signal cancels all
 */
export async function runSteps(
  steps: readonly Step[],
  run: RunStep,
  options: { without?: readonly string[]; signal?: AbortSignal | undefined } = {},
): Promise<StepResult[]> {
  const stop = new AbortController()
  const stopped = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])])
  const results: Promise<StepResult>[] = []

  async function follow(step: Step, before: readonly Promise<StepResult>[]): Promise<StepResult> {
    const { id } = step
    await Promise.all(before)
    if (options.without?.includes(id)) return { id, result: 'left out', seconds: 0, output: '' }
    if (stopped.aborted) return { id, result: 'not run', seconds: 0, output: '' }

    const began = performance.now()
    const late = AbortSignal.timeout(step.timeout * 1000)
    const { status, output } = await run(step, AbortSignal.any([stopped, late]))
    const seconds = (performance.now() - began) / 1000
    if (stopped.aborted) return { id, result: 'cancelled', seconds, output }
    if (status === 0 && !late.aborted)
      return { id, result: /^Left out: /m.test(output) ? 'left out' : 'ok', seconds, output }
    stop.abort()
    return { id, result: 'failed', seconds, output: late.aborted ? `${output}Timed out\n` : output }
  }

  for (const step of steps) {
    const before = step.waitFor.flatMap((id) => results[steps.findIndex((other) => other.id === id)] ?? [])
    results.push(follow(step, step.waitFor.length === 0 ? [...results] : before))
  }
  return Promise.all(results)
}
