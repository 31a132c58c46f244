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

/** What the connections of `onServer` are called, so that tests can leave them out. */
export const ours = 'tests'

/** A pool for each URL: a connection of its own would be most of what a statement costs. */
const pools = new Map<string, pg.Pool>()

/** Runs one statement, on whichever connection is free. */
export async function onServer(
  url: string,
  statement: string,
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  return (pools.get(url) ?? open(url)).query(statement, values)
}

function open(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, application_name: ours, max: 2 })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {})) // it may end with its database
  pools.set(url, pool)
  atEnd(() => {
    pools.delete(url)
    return pool.end()
  })
  return pool
}
