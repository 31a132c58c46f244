import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { reachLocalDirectly } from '#dev/machine/proxy.ts'
import { startPostgres } from '#dev/postgres/start.ts'
import { migrate } from '#src/runtime/database/migrate.ts'
import { createNotesTable } from '#test/support/notes-table.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server that tests may make databases on. */
    serverUrl: string
    /** A database to copy: migrated, with the tables that only tests have. */
    template: string
  }
}

/** Starts the embedded server once (or takes TEST_DATABASE_URL's) and makes the template that each file copies. */
export default async function setup(project: TestProject) {
  reachLocalDirectly()
  const given = process.env.TEST_DATABASE_URL
  const server = given ? { url: given, stop: async () => {} } : await startPostgres()
  const template = `template_${randomBytes(4).toString('hex')}`
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`create database ${template}`)
  const url = databaseUrl(server.url, template)
  await migrate(url, fileURLToPath(new URL('../../migrations', import.meta.url)))
  await makeTestTables(url)
  project.provide('serverUrl', server.url)
  project.provide('template', template)

  return async function teardown() {
    await client.query(`drop database ${template}`)
    await client.end()
    await server.stop()
  }
}

async function makeTestTables(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(createNotesTable)
  await client.end()
}

function databaseUrl(serverUrl: string, name: string): string {
  return serverUrl.replace(/\/[^/?]*(\?|$)/, `/${name}$1`)
}
