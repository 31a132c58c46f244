import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import internal from '../../../openapi/internal.json' with { type: 'json' }
import { place } from './log-entry.ts'

const seconds = z.string().regex(/^\d+s$/)
const text = z.string().min(1)
const labels = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.string().regex(/^EXTRACT\([\w.]+\)$/))
const aggregations = z
  .array(
    z.strictObject({
      alignmentPeriod: seconds,
      perSeriesAligner: z.enum(['ALIGN_RATE', 'ALIGN_DELTA']),
      crossSeriesReducer: z.enum(['REDUCE_SUM', 'REDUCE_PERCENTILE_95']),
    }),
  )
  .length(1)

const Metric = z.strictObject({
  description: text,
  filter: text,
  metricDescriptor: z.strictObject({
    metricKind: z.literal('DELTA'),
    valueType: z.enum(['INT64', 'DISTRIBUTION']),
    unit: z.enum(['1', 's']),
    labels: z
      .array(z.strictObject({ key: text, valueType: z.literal('STRING'), description: text }))
      .optional(),
  }),
  labelExtractors: labels.optional(),
  valueExtractor: text.optional(),
  bucketOptions: z.unknown().optional(),
})

const Condition = z.strictObject({
  displayName: text,
  conditionMatchedLog: z.strictObject({ filter: text, labelExtractors: labels.optional() }).optional(),
  /** At least two minutes, by whole minutes: https://cloud.google.com/monitoring/alerts/metric-absence */
  conditionAbsent: z
    .strictObject({ filter: text, aggregations, duration: z.string().regex(/^(?!60s)([1-9]\d*0)s$/) })
    .optional(),
  conditionThreshold: z
    .strictObject({
      filter: text,
      aggregations,
      denominatorFilter: text.optional(),
      denominatorAggregations: aggregations.optional(),
      comparison: z.enum(['COMPARISON_GT', 'COMPARISON_LT']),
      thresholdValue: z.number(),
      duration: seconds,
    })
    .optional(),
})

const Policy = z
  .strictObject({
    displayName: text,
    severity: z.enum(['CRITICAL', 'ERROR', 'WARNING']),
    combiner: z.enum(['OR', 'AND']),
    conditions: z.array(Condition).min(1).max(6),
    alertStrategy: z.strictObject({
      notificationRateLimit: z.strictObject({ period: seconds }).optional(),
      autoClose: seconds,
    }),
    documentation: z.strictObject({
      mimeType: z.literal('text/markdown'),
      subject: text,
      content: text.max(8192),
    }),
    userLabels: z.strictObject({ needs: z.literal('tick') }).optional(),
  })
  // https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#AlertStrategy
  .refine(({ conditions, alertStrategy }) => {
    const reads = conditions.filter(({ conditionMatchedLog }) => conditionMatchedLog).length
    return reads === 0
      ? !alertStrategy.notificationRateLimit
      : reads === 1 && alertStrategy.notificationRateLimit
  }, 'An alert on a line has one condition and a notificationRateLimit; no other may have it')

/** A log-based metric, in Google's own JSON. */
export type Metric = z.infer<typeof Metric>
/** An alert, in Google's own JSON. */
export type Policy = z.infer<typeof Policy>

/** The metrics of deploy/monitoring, by the name that a deploy gives them. */
export function readMetrics(): Map<string, Metric> {
  return new Map(read('metrics', Metric).map(([name, metric]) => [`${place.service}-${name}`, metric]))
}

/** The alerts of deploy/monitoring, by the names of their files. */
export function readPolicies(): Map<string, Policy> {
  return new Map(read('policies', Policy))
}

/** The alerts that a deploy of this service makes: those that read lines of the tick or of tasks only if it has tasks. */
export function ownPolicies(): [name: string, policy: Policy][] {
  const hasTasks = '/runtime/tick' in internal.paths
  return [...readPolicies()].filter(([, { userLabels }]) => hasTasks || userLabels?.needs !== 'tick')
}

/** A file of deploy/monitoring, as a deploy fills it in. */
export function fill(file: string): unknown {
  const content = readFileSync(join('deploy/monitoring', file), 'utf8')
  return JSON.parse(content.replaceAll('{{service}}', place.service).replaceAll('{{project}}', place.project))
}

function read<Value>(kind: string, schema: z.ZodType<Value>): [string, Value][] {
  const files = readdirSync(join('deploy/monitoring', kind))
  return files.map((file) => [basename(file, '.json'), schema.parse(fill(`${kind}/${file}`))])
}
