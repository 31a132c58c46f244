import { type SectionResult, valuesOf } from './result.ts'
import { ratio, type Summary, summarize } from './stats.ts'

/** What a section should show. */
export interface Goal {
  readonly section: string
  readonly work: string
  readonly metric: string
  /** The contestant that the service is compared with. Without one, the service's own value counts. */
  readonly against?: string
  readonly bound: 'at least' | 'at most'
  readonly value: number
}

const throughput = (section: string, work: string, against: string, value: number): Goal => ({
  ...{ section, work, metric: 'rate', against, bound: 'at least', value },
})
const starts = (against: string, value: number): Goal => ({
  ...{ section: 'start', work: 'start', metric: 'time', against, bound: 'at most', value },
})

/** All goals, in the order of the sections. */
export const goals: readonly Goal[] = [
  starts('bare-node', 1.4),
  starts('bare-hono', 1.15),
  starts('fastify', 1),
  starts('fastify-bundled', 1),
  starts('nest', 0.25),
  {
    section: 'first-order',
    work: 'first-order',
    metric: 'time',
    against: 'service, first GET',
    bound: 'at most',
    value: 2,
  },
  throughput('get', 'get', 'hand-written', 0.85),
  throughput('get', 'get', 'fastify', 1.15),
  throughput('get', 'get', 'naive-hono', 2.5),
  throughput('post', 'post', 'fastify', 1),
  throughput('list', 'list', 'fastify', 1),
  throughput('list', 'listGzip', 'fastify', 1),
  throughput('rejected', 'noToken', 'fastify', 1.2),
  throughput('rejected', 'badToken', 'fastify', 1.2),
  throughput('rejected', 'badBody', 'fastify', 1.2),
  ...['get', 'post', 'list'].flatMap((work) =>
    ['fastify', 'express', 'nest', 'naive-hono'].map(
      (against): Goal => ({ section: 'price', work, metric: 'price', against, bound: 'at most', value: 1 }),
    ),
  ),
  { section: 'memory', work: 'memory', metric: 'idle', bound: 'at most', value: 75 },
  { section: 'memory', work: 'memory', metric: 'after GET', bound: 'at most', value: 110 },
  { section: 'memory', work: 'memory', metric: 'after POST', bound: 'at most', value: 160 },
  { section: 'memory', work: 'bodies of 1 MiB at 256 MiB', metric: 'peak', bound: 'at most', value: 256 },
  { section: 'tasks', work: 'tasks', metric: 'rate', bound: 'at least', value: 1000 },
  {
    section: 'tasks',
    work: 'tasks',
    metric: 'CPU of both',
    against: 'graphile-worker',
    bound: 'at most',
    value: 2,
  },
  ...['get', 'list', 'list, deep', 'list, filtered', 'claim', 'tick', 'dead list', 'dashboard'].map(
    (work): Goal => ({
      ...{
        section: 'growth',
        work,
        metric: 'CPU of both',
        against: 'service, small',
        bound: 'at most',
        value: 1.3,
      },
    }),
  ),
  { section: 'latency', work: 'latency', metric: 'p99', against: 'fastify', bound: 'at most', value: 1.1 },
  { section: 'latency', work: 'latency', metric: 'goodput', bound: 'at least', value: 85 },
  { section: 'size', work: 'size', metric: 'loaded at start', bound: 'at most', value: 1000 },
  {
    section: 'tools',
    work: 'tools',
    metric: 'npm test',
    against: 'service, before',
    bound: 'at most',
    value: 0.6,
  },
  { section: 'tools', work: 'tools', metric: 'restart', bound: 'at most', value: 1.5 },
]

/** A goal with what was reached. */
export interface Judged {
  readonly goal: Goal
  readonly reached: Summary
  readonly verdict: 'met' | `missed by ${number} %`
}

/** Judges the goals that these results can judge. */
export function judge(results: readonly SectionResult[], all: readonly Goal[] = goals): Judged[] {
  return all.flatMap((goal) => {
    const rows = results.find(({ section }) => section === goal.section)?.rows ?? []
    const ours = valuesOf(rows, goal.work, 'service', goal.metric)
    const theirs =
      goal.against === undefined ? undefined : valuesOf(rows, goal.work, goal.against, goal.metric)
    if (!ours || (goal.against !== undefined && !theirs)) return []
    const reached = theirs ? ratio(ours, theirs) : summarize(ours)
    return [{ goal, reached, verdict: verdictOf(goal, reached.median) }]
  })
}

/** How far the median is from the bound, as a share of the bound. */
function verdictOf({ bound, value }: Goal, reached: number): Judged['verdict'] {
  const distance = bound === 'at least' ? 1 - reached / value : reached / value - 1
  return distance <= 0 ? 'met' : `missed by ${Math.max(1, Math.round(distance * 100))} %`
}

/** The name of a goal, by which `reasons.json` says why it is missed. */
export function nameOf({ section, work, metric, against }: Goal): string {
  return [
    section,
    ...(work === section ? [] : [work]),
    metric,
    ...(against ? ['against', against] : []),
  ].join(' ')
}
