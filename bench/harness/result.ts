/** One thing that was measured of a contestant: a value for each round. */
export interface Metric {
  /** What it is, such as `rate`. Contestants are compared by metrics of the same name. */
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly values: readonly number[]
}

/** What a contestant showed in one work of a section. */
export interface Row {
  readonly work: string
  readonly contestant: string
  readonly metrics: readonly Metric[]
}

/** What a section has measured. */
export interface SectionResult {
  readonly section: string
  readonly rows: readonly Row[]
  /** Why it could not be measured. Then it has no rows. */
  readonly failure?: string
  /** Sentences that the table needs. */
  readonly notes?: readonly string[]
}

/** The values of a metric; `undefined` if the contestant was not measured by it. */
export function valuesOf(
  rows: readonly Row[],
  work: string,
  contestant: string,
  metric: string,
): readonly number[] | undefined {
  const row = rows.find((row) => row.work === work && row.contestant === contestant)
  return row?.metrics.find(({ name }) => name === metric)?.values
}
