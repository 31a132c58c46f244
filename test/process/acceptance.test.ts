import { expect, test } from 'vitest'
import { statedScopes } from '#test/acceptance/contract.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { startEmulated } from '#test/support/emulated.ts'
import { as, testAuth } from '#test/support/tokens.ts'
import metadata from '../../package.json' with { type: 'json' }
import { accept } from './accept.ts'

const databaseUrl = await makeDatabase()

/** How many rows all the tables have together. */
async function rows(): Promise<number> {
  const names = `select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname in ('public', 'runtime') and tablename <> 'migrations'`
  const { rows: tables } = await onServer(databaseUrl, names)
  const counts = tables.map(({ name }) => `select count(*) as count from ${name}`)
  const sum = `select sum(count)::int as count from (${counts.join(' union all ')}) as counts`
  return (await onServer(databaseUrl, sum)).rows[0].count
}

/** How many tests passed. */
function count({ output }: { output: string }): number {
  return Number(/Tests +(\d+) passed/.exec(output)?.[1])
}

const AUTH_SECRET = testAuth.secret
const { Authorization = '' } = await as('carol', statedScopes)
const ACCEPTANCE_TOKEN = Authorization.replace('Bearer ', '')
const passed = { status: 0, output: expect.stringMatching(/Tests +[1-9]\d* passed/) }

test('the bundle passes: what is live-safe writes nothing, the rest does, two runs at once', async () => {
  const { url } = await startEmulated({ DATABASE_URL: databaseUrl, AUTH_SECRET })
  const liveSafe = await accept([url, '--tags-filter=live-safe'], { ACCEPTANCE_TOKEN })
  expect(liveSafe).toMatchObject(passed)
  expect(await rows()).toBe(0)

  const runs = await Promise.all([accept([url], { AUTH_SECRET }), accept([url], { ACCEPTANCE_TOKEN })])
  for (const run of runs) {
    expect(run).toMatchObject(passed)
    expect(run.output).toContain(
      `Testing ${metadata.name} at ${url} (revision unknown, environment development)`,
    )
    expect(run.output).not.toContain('skipped')
  }
  const others = count(runs[0]) - count(liveSafe)
  expect((await rows()) > 0).toBe(others > 0)
})
