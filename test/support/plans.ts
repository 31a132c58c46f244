import pg from 'pg'
import { vi } from 'vitest'
import type { Database } from '#src/runtime/database/database.ts'
import { onServer } from './database.ts'

/** A node of a plan, as `explain (format json)` shows it. The numbers are there with `analyze`. */
export interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Parent Relationship'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

/** A statement as the service sends it. */
export interface Sent {
  readonly text: string
  readonly values: unknown[]
}

/** The statements on the runtime's tables that `work` sends in a transaction. What it changes is taken back. */
export async function statementsOf(
  database: Database,
  work: (tx: Database) => Promise<unknown>,
): Promise<Sent[]> {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  await database
    .transaction(async (tx) => {
      await work(tx as unknown as Database)
      tx.rollback()
    })
    .catch(() => {})
  // the first statement of a transaction is an object that has its values itself
  const calls = query.mock.calls as unknown as [string | { text: string; values?: unknown[] }, unknown[]][]
  query.mockRestore()
  const all = calls.flatMap(([call, given]) =>
    typeof call === 'object' ? { text: call.text, values: call.values ?? given } : [],
  )
  return all.filter(({ text }) => text.includes('"runtime".'))
}

/** The nodes of the plan of a statement. */
export async function planOf(databaseUrl: string, { text, values }: Sent): Promise<Plan[]> {
  const { rows } = await onServer(databaseUrl, `explain (format json) ${text}`, values)
  return nodes(rows[0]['QUERY PLAN'][0].Plan)
}

/** How many rows and index entries a statement reads. It runs, and is taken back. */
export async function rowsRead(databaseUrl: string, { text, values }: Sent): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query(`explain (analyze, format json) ${text}`, values)
    const scans = nodes(rows[0]['QUERY PLAN'][0].Plan).filter(isScan)
    return scans.reduce((sum, node) => sum + readBy(node), 0)
  } finally {
    await client.end()
  }
}

const isScan = (node: Plan) => /Scan/.test(node['Node Type']) && /Index|Seq/.test(node['Node Type'])

function readBy(node: Plan): number {
  const passed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return ((node['Actual Rows'] ?? 0) + passed) * (node['Actual Loops'] ?? 0)
}

function nodes(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)]
}
