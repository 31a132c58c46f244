import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import metadata from '../../package.json' with { type: 'json' }
import { contestants, folders, labelOf } from './contestants.ts'
import { goals, judge, nameOf } from './goals.ts'
import { describeMachine } from './machine.ts'
import { type Metric, type SectionResult, valuesOf } from './result.ts'
import type { Section } from './section.ts'
import { ratio, summarize } from './stats.ts'
import { format, renderTable, type Table } from './table.ts'

/** A section's result with when and how it was measured. */
export interface Measured extends SectionResult {
  readonly date: string
  readonly commit: string
  readonly command: string
  /** What else the machine had to do: the load of a minute, before the section. */
  readonly loadBefore: number
  /** How long it took. */
  readonly minutes: number
}

/** The tables of sections, each work with its own, and the goals that they reach or miss. */
export function renderSections(results: readonly Measured[], sections: readonly Section[]): string {
  const parts = results.map((result) => {
    const title = sections.find(({ name }) => name === result.section)?.title ?? result.section
    const works = [...new Set(result.rows.map(({ work }) => work))]
    const tables = works.map((work) => renderTable(tableOf(result, work)))
    const about = `Measured on ${result.date} at ${result.commit} by “${result.command}”; load before: ${result.loadBefore}. It took ${result.minutes} minutes.`
    const failed =
      result.failure === undefined
        ? []
        : [`This section failed, at least in part: ${oneLine(result.failure)}`]
    return [`## ${title}`, ...failed, ...(result.notes ?? []), ...tables, about].join('\n\n')
  })
  return [...parts, '## Goals', renderTable(goalTable(results)), ...reasonsOf(results)].join('\n\n')
}

function tableOf({ rows, section }: SectionResult, work: string): Table {
  const own = rows.filter((row) => row.work === work)
  const names = [...new Set(own.flatMap(({ metrics }) => metrics.map(({ name }) => name)))]
  const compared = own.length > 1 && own.some(({ contestant }) => contestant === 'service')
  const against = compared ? names.map((name) => `service ÷ it: ${name}`) : []
  return {
    head: [work === section ? section : `${section}: ${work}`, ...names, ...against],
    rows: own.map(({ contestant, metrics }) => [
      contestant,
      ...names.map((name) => cellOf(metrics.find((metric) => metric.name === name))),
      ...against.map((_, index) => {
        const name = names[index] as string
        const ours = valuesOf(own, work, 'service', name)
        const theirs = valuesOf(own, work, contestant, name)
        return contestant === 'service' || !ours || !theirs ? '' : spread(ratio(ours, theirs))
      }),
    ]),
  }
}

function cellOf(metric: Metric | undefined): string {
  if (!metric || metric.values.length === 0) return ''
  const { median, low, high, count } = summarize(metric.values)
  const unit = metric.unit.startsWith('/') ? metric.unit : metric.unit && ` ${metric.unit}`
  return `${format(median)}${unit}${count > 1 ? ` (${format(low)}–${format(high)})` : ''}`
}

const spread = ({ median, low, high, count }: ReturnType<typeof summarize>) =>
  Number.isFinite(median) ? `${format(median)}${count > 1 ? ` (${format(low)}–${format(high)})` : ''}` : ''

function goalTable(results: readonly SectionResult[]): Table {
  return {
    head: ['goal', 'bound', 'reached', 'verdict'],
    rows: goalsOf(results).map((goal) => {
      const bound = `${goal.bound} ${goal.value}${goal.against ? ' ×' : ''}`
      const [judged] = judge(results, [goal])
      return [nameOf(goal), bound, judged ? spread(judged.reached) : '', judged?.verdict ?? 'not measured']
    }),
  }
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim().slice(0, 500)

const goalsOf = (results: readonly SectionResult[]) =>
  goals.filter((goal) => results.some(({ section }) => section === goal.section))

/** Why goals are not met: the text is written by people, in reasons.json. */
function reasonsOf(results: readonly SectionResult[]): string[] {
  const reasons: Record<string, string> = JSON.parse(
    readFileSync(`${folders.repository}bench/reasons.json`, 'utf8'),
  )
  return goalsOf(results)
    .filter((goal) => judge(results, [goal])[0]?.verdict !== 'met')
    .map((goal) => `- ${nameOf(goal)}: ${reasons[nameOf(goal)] ?? 'not explained yet.'}`)
}

/** What was measured on, with what, and what each contestant does. */
export function renderAbout(): string {
  const { machine, lacks } = describeMachine()
  const duties: Table = {
    head: [
      'contestant',
      'log',
      'request id',
      'headers',
      'problems',
      'token cache',
      'validation in',
      'validation out',
      'runs',
    ],
    rows: Object.values(contestants).map((contestant) => {
      const { duties, form } = contestant
      const yes = (flag: boolean) => (flag ? 'yes' : 'no')
      return [
        ...[
          labelOf(contestant),
          logs[duties.log],
          yes(duties.requestId),
          duties.headers,
          yes(duties.problems),
        ],
        ...[yes(duties.tokenCache), duties.validationIn, duties.validationOut, form],
      ]
    }),
  }
  return [
    `Node ${process.version}. ${machine}.`,
    ...lacks.map((missing) => `This machine lacks ${missing}.`),
    'Medians of all rounds, with the quartiles in parentheses. Contestants take turns in each round, and ratios are of the two in the same round. Each response was checked before it was measured. “Service ÷ it” above 1 is good for a rate, and below 1 for everything else.',
    'Tokens are HS256: every contestant can verify them without a server for keys, and a cheap signature hides least of what stands around it.',
    '## Duties',
    renderTable(duties),
    ...Object.values(contestants).map((contestant) => `- ${labelOf(contestant)}: ${contestant.what}.`),
    `Versions: ${versions()}.`,
  ].join('\n\n')
}

const logs = {
  cloud: 'one JSON line in Cloud Logging’s fields',
  json: 'one JSON line',
  text: 'two lines of text',
  none: 'none',
}

function versions(): string {
  const own = Object.keys(
    JSON.parse(readFileSync(`${folders.repository}bench/package.json`, 'utf8')).dependencies,
  )
  const shared = ['@hono/node-server', '@hono/zod-openapi', 'drizzle-orm', 'hono', 'jose', 'pg', 'zod']
  const version = (name: string, folder: string) =>
    `${name} ${JSON.parse(readFileSync(`${folders.repository}${folder}node_modules/${name}/package.json`, 'utf8')).version}`
  return [...shared.map((name) => version(name, '')), ...own.map((name) => version(name, 'bench/'))].join(
    ', ',
  )
}

/** The commit that is measured, with a mark if files have changed since. */
export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folders.repository, encoding: 'utf8' }).trim()
  try {
    const written = ['results.json', 'RESULTS.md', 'chart-*.svg'].map((name) => `:!bench/${name}`)
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'package-lock.json', ...written) !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
  } catch {
    return metadata.version
  }
}
