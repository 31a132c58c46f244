import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'

/** A set of migrations: the files that drizzle-kit wrote, and the table that lists which of them a database has. */
export interface MigrationSet {
  readonly folder: string
  /** The npm script that writes the files. */
  readonly script: string
  readonly schema: string
  readonly table: string
}

/** The migrations of a set: those in the folder, and those that the database has applied. */
export interface Journal {
  readonly written: readonly { readonly tag: string; readonly when: number }[]
  /** The creation times of the applied migrations, in milliseconds since 1970. Drizzle identifies migrations by them. */
  readonly applied: ReadonlySet<number>
}

/** Reads the folder's journal and the database's table. @throws if the folder has no journal */
export async function readJournal(client: pg.Client, set: MigrationSet): Promise<Journal> {
  const file = await readFile(join(set.folder, 'meta/_journal.json'), 'utf8')
  const name = `${client.escapeIdentifier(set.schema)}.${client.escapeIdentifier(set.table)}`
  const { rows: found } = await client.query('select to_regclass($1) as name', [name])
  const { rows } = found[0]?.name ? await client.query(`select created_at from ${name}`) : { rows: [] }
  return { written: JSON.parse(file).entries, applied: new Set(rows.map((row) => Number(row.created_at))) }
}

/**
 * Refuses migrations that Drizzle would skip silently. Drizzle applies only migrations that are newer than the newest one
 * that the database has. After a merge, there may be an older one that is missing.
 *
 * @throws {Error} naming the files, and how to repair them
 */
export function refuseSkipped({ written, applied }: Journal, { folder, script }: MigrationSet): void {
  const newest = Math.max(...applied)
  const skipped = written.filter(({ when }) => when < newest && !applied.has(when))
  if (skipped.length === 0) return
  const files = skipped.map(({ tag, when }) => `${tag}.sql (created ${date(when)})`).join(', ')
  throw new Error(
    `${folder}: this database lacks ${files}, but has a newer migration (created ${date(newest)}). ` +
      'Two branches each created a migration. Create the older one again, so that it is the last one: delete its file ' +
      'and its snapshot, remove it from meta/_journal.json, and run `npm run ' +
      `${script}\`.`,
  )
}

/** Counts the applied migrations that are not in the folder, but older than the newest one there. */
export function countForeign({ written, applied }: Journal): number {
  const known = new Set(written.map(({ when }) => when))
  const newest = Math.max(...known)
  return [...applied].filter((when) => when < newest && !known.has(when)).length
}

function date(when: number): string {
  return new Date(when).toISOString()
}
