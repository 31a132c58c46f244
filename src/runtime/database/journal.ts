import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'

/** A set of migrations: files that drizzle-kit wrote, and the table that lists what a database has had of them. */
export interface MigrationSet {
  readonly folder: string
  /** The npm script that writes them. */
  readonly script: string
  readonly schema: string
  readonly table: string
}

/** What a folder and a database say of a set. */
export interface Journal {
  readonly written: readonly { readonly tag: string; readonly when: number }[]
  /** When each that was applied was made, in milliseconds since 1970: Drizzle tells migrations by it. */
  readonly applied: ReadonlySet<number>
}

/** @throws if the folder has no journal */
export async function readJournal(client: pg.Client, set: MigrationSet): Promise<Journal> {
  const file = await readFile(join(set.folder, 'meta/_journal.json'), 'utf8')
  const name = `${client.escapeIdentifier(set.schema)}.${client.escapeIdentifier(set.table)}`
  const { rows: found } = await client.query('select to_regclass($1) as name', [name])
  const { rows } = found[0]?.name ? await client.query(`select created_at from ${name}`) : { rows: [] }
  return { written: JSON.parse(file).entries, applied: new Set(rows.map((row) => Number(row.created_at))) }
}

/**
 * Refuses what Drizzle would skip in silence: it applies only what is newer than all that a database has had, and a
 * merge may bring something older.
 *
 * @throws {Error} naming the files, and how to mend them
 */
export function refuseSkipped({ written, applied }: Journal, { folder, script }: MigrationSet): void {
  const newest = Math.max(...applied)
  const skipped = written.filter(({ when }) => when < newest && !applied.has(when))
  if (skipped.length === 0) return
  const files = skipped.map(({ tag, when }) => `${tag}.sql (made ${date(when)})`).join(', ')
  throw new Error(
    `${folder}: this database has not had ${files}, but it has had a newer migration (made ${date(newest)}). ` +
      'Two branches each made one. Write the older one again, so that it is the last: delete its file and its ' +
      'snapshot, take it out of meta/_journal.json, and run `npm run ' +
      `${script}\`.`,
  )
}

/** How many migrations a database has had that are older than the newest one of the folder, and not in it. */
export function countForeign({ written, applied }: Journal): number {
  const known = new Set(written.map(({ when }) => when))
  const newest = Math.max(...known)
  return [...applied].filter((when) => when < newest && !known.has(when)).length
}

function date(when: number): string {
  return new Date(when).toISOString()
}
