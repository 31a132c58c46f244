import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { atEnd } from './at-end.ts'

/**
 * Makes a database of this file's own, a copy of the migrated template, and drops it when the file ends.
 *
 * @param options.empty makes it without any tables
 * @returns its URL
 */
export async function makeDatabase(options: { empty?: boolean } = {}): Promise<string> {
  const serverUrl = inject('serverUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = options.empty ? 'template0' : inject('template')
  await onServer(serverUrl, `create database ${name} template ${template}`)
  const drop = `drop database if exists ${name}`
  // the server's own vacuum gives way to the second, where it takes a superuser to force it
  atEnd(() => onServer(serverUrl, `${drop} with (force)`).catch(() => onServer(serverUrl, drop)))
  return serverUrl.replace(/\/[^/?]*(\?|$)/, `/${name}$1`)
}

/** Runs one statement on a connection of its own. */
export async function onServer(
  url: string,
  statement: string,
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(statement, values)
  } finally {
    await client.end()
  }
}
