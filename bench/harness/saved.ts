import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { renderChart } from './chart.ts'
import { describeMachine } from './machine.ts'
import { type Measured, renderAbout, renderSections } from './report.ts'
import type { Section } from './section.ts'

const file = (name: string) => new URL(`../${name}`, import.meta.url)
const intro =
  '# What the service costs\n\nThis file is written by `npm run bench`, from `results.json`. README.md in this folder says how to read it.'

/** What `results.json` holds: the values of each round. */
interface Saved {
  readonly machine: string
  readonly node: string
  readonly results: readonly Measured[]
}

const here = () => ({ machine: describeMachine().machine, node: process.version })

/**
 * Reads what was saved before.
 *
 * @throws {Error} if it was measured on another machine or by another Node: one table cannot show both
 */
export function readSaved(): readonly Measured[] {
  if (!existsSync(file('results.json'))) return []
  const { results, ...there }: Saved = JSON.parse(readFileSync(file('results.json'), 'utf8'))
  const [saved, current] = [there, here()].map(({ machine, node }) => `Node ${node} on ${machine}`)
  if (saved === current) return results
  throw new Error(
    `bench/results.json is of ${saved}, and this is ${current}: run all sections by "npm run bench", or delete that file.`,
  )
}

/** Puts new results in the place of those of the same sections. */
export function merge(
  saved: readonly Measured[],
  results: readonly Measured[],
  sections: readonly Section[],
): Measured[] {
  return sections.flatMap(({ name }) => {
    const isIt = ({ section }: Measured) => section === name
    return results.find(isIt) ?? saved.find(isIt) ?? []
  })
}

/** Writes `results.json`, and from it `RESULTS.md` and the charts. */
export function write(results: readonly Measured[], sections: readonly Section[]): void {
  const saved: Saved = { ...here(), results }
  const digits = (_key: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value
  writeFileSync(file('results.json'), `${JSON.stringify(saved, digits, 2)}\n`)
  writeFileSync(
    file('RESULTS.md'),
    `${[intro, renderAbout(), renderSections(results, sections)].join('\n\n')}\n`,
  )
  for (const scheme of ['light', 'dark'] as const)
    writeFileSync(file(`chart-${scheme}.svg`), renderChart(results, scheme))
}
