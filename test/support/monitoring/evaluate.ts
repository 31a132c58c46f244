import type { Metric, Policy } from './files.ts'
import type { LogEntry } from './log-entry.ts'
import { parseFilter, valueAt } from './logging-query.ts'

/** A value of a log-based metric. */
interface Point {
  readonly atMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What an alert is evaluated on. */
export interface Situation {
  readonly metrics: ReadonlyMap<string, Metric>
  readonly entries: readonly LogEntry[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** Whether a counter that counts nothing says 0. If not, it says nothing. Google does either. */
  readonly zeros?: boolean
}

type Condition = Policy['conditions'][number]
type Aggregation = NonNullable<Condition['conditionThreshold']>['aggregations'][number]

/** Whether an alert is raised: it wakes somebody now. */
export function isRaised({ conditions, combiner }: Policy, situation: Situation): boolean {
  const met = (condition: Condition) => isMet(condition, situation)
  return combiner === 'AND' ? conditions.every(met) : conditions.some(met)
}

function isMet(condition: Condition, situation: Situation): boolean {
  const { conditionMatchedLog: line, conditionAbsent: absent, conditionThreshold: threshold } = condition
  if (line) return situation.entries.some(parseFilter(line.filter))
  if (absent) {
    const points = pointsOf(absent.filter, situation)
    const since = situation.nowMs - 1000 * Number.parseInt(absent.duration, 10)
    return !situation.zeros && points.length > 0 && points.every(({ atMs }) => atMs < since)
  }
  if (!threshold) throw new Error(`A condition of this kind is not known here: ${condition.displayName}`)
  const { denominatorFilter: below, denominatorAggregations = [] } = threshold
  const value = aggregate(threshold.filter, threshold.aggregations[0], situation)
  const divisor = below === undefined ? 1 : aggregate(below, denominatorAggregations[0], situation)
  if (value === undefined || !divisor) return false
  const { comparison, thresholdValue } = threshold
  return comparison === 'COMPARISON_GT' ? value / divisor > thresholdValue : value / divisor < thresholdValue
}

/** The aligned and reduced value of a metric now; `undefined` if it has none. */
function aggregate(filter: string, by: Aggregation | undefined, situation: Situation): number | undefined {
  if (!by) throw new Error(`${filter} has no aggregation`)
  const seconds = Number.parseInt(by.alignmentPeriod, 10)
  const all = pointsOf(filter, situation)
  const values = all.filter(({ atMs }) => atMs > situation.nowMs - 1000 * seconds).map(({ value }) => value)
  if (values.length === 0) return situation.zeros && all.length > 0 ? 0 : undefined
  if (by.crossSeriesReducer === 'REDUCE_PERCENTILE_95')
    return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1]
  const sum = values.reduce((total, value) => total + value, 0)
  return by.perSeriesAligner === 'ALIGN_RATE' ? sum / seconds : sum
}

const ofMetric =
  /^metric\.type="logging\.googleapis\.com\/user\/([\w-]+)" AND resource\.type="cloud_run_revision"(.*)$/

/** The points that a filter of Cloud Monitoring finds. @throws {Error} for a form that is not known here */
function pointsOf(filter: string, { metrics, entries }: Situation): Point[] {
  const [, name = '', rest = ''] = ofMetric.exec(filter) ?? []
  const metric = metrics.get(name)
  if (!metric) throw new Error(`There is no metric for ${filter}`)
  const [, label = '', start = ''] = /^ AND metric\.labels\.(\w+)=starts_with\("([^"]*)"\)$/.exec(rest) ?? []
  if (rest && !metric.labelExtractors?.[label]) throw new Error(`This is not known here: ${rest}`)
  return measure(metric, entries).filter(({ labels }) => !rest || labels[label]?.startsWith(start))
}

/** The points that a log-based metric makes of entries. */
export function measure(metric: Metric, entries: readonly LogEntry[]): Point[] {
  const { valueExtractor, labelExtractors = {}, filter } = metric
  const read = (entry: LogEntry, extractor: string) => {
    const [, path] = /^EXTRACT\(([\w.]+)\)$/.exec(extractor) ?? []
    if (!path) throw new Error(`${extractor} is not known here`)
    return valueAt(entry, path)
  }
  return entries.filter(parseFilter(filter)).map((entry) => ({
    atMs: Date.parse(entry.timestamp),
    labels: Object.fromEntries(
      Object.entries(labelExtractors).map(([key, extractor]) => [key, `${read(entry, extractor) ?? ''}`]),
    ),
    value: valueExtractor ? Number.parseFloat(`${read(entry, valueExtractor)}`) : 1,
  }))
}
