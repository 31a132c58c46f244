import { fill, type Surroundings } from './environment.ts'
import { load } from './machine.ts'
import { progress } from './progress.ts'
import type { Measured } from './report.ts'
import { stopAll } from './run.ts'
import type { Section } from './section.ts'

/** How long a section may take. The longest takes about ten minutes. */
const limitMs = 20 * 60_000
/** How long a section that took too long gets to end by itself, when its contestants are gone. */
const graceMs = 30_000

/**
 * Runs sections one after another, each with the same orders. One that fails or takes too long becomes a result without rows, and
 * the next one runs.
 *
 * @param about what is measured, and by which command
 * @param saved what sections have shown in an earlier run. Those that run now are left out of it
 * @param onResult gets all results so far, after each section
 */
export async function runSections(
  sections: readonly Section[],
  options: {
    readonly surroundings: Surroundings
    readonly quick: boolean
    readonly about: Pick<Measured, 'commit' | 'command'>
    readonly saved: readonly Measured[]
    readonly onResult: (results: readonly Measured[]) => void
  },
): Promise<Measured[]> {
  const { surroundings, quick, saved, onResult } = options
  const names = sections.map(({ name }) => name)
  const others = saved.filter(({ section }) => !names.includes(section))
  const results: Measured[] = []
  for (const section of sections) {
    const about = { ...options.about, date: new Date().toISOString().slice(0, 16), loadBefore: load() }
    const earlier = [...others, ...results]
    const started = performance.now()
    const work = fill(surroundings.databaseUrl).then(() => section.run({ ...surroundings, quick }, earlier))
    const result = await withinLimit(work).catch((error) => {
      const failure = error instanceof Error ? error.message : String(error)
      console.error(error)
      return { section: section.name, rows: [], failure }
    })
    const minutes = Math.round((performance.now() - started) / 6_000) / 10
    if (result.failure !== undefined) console.error(`\n${section.name} failed: ${result.failure}`)
    progress(`${section.name} took ${minutes} minutes`)
    results.push({ ...result, ...about, minutes })
    onResult(results)
  }
  return results
}

async function withinLimit<Result>(work: Promise<Result>): Promise<Result> {
  const { promise: tooLong, reject } = Promise.withResolvers<never>()
  const error = new Error(`it took more than ${limitMs / 60_000} minutes`)
  const timers: NodeJS.Timeout[] = [
    setTimeout(() => {
      stopAll()
      timers.push(setTimeout(reject, graceMs, error))
    }, limitMs),
  ]
  try {
    return await Promise.race([work, tooLong])
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}
