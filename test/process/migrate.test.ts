import { expect, test } from 'vitest'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { expectLog, spawnBundle } from '#test/support/process.ts'

/** Runs the bundle's migrations. */
async function migrate(DATABASE_URL: string) {
  const { lines, exit } = spawnBundle({ DATABASE_URL }, { file: 'dist/migrate.js' })
  const status = await exit
  return { status, entries: expectLog(lines) }
}

test('the bundle brings its migrations: the first run applies them, the next finds nothing to do', async () => {
  const url = await makeDatabase({ empty: true })
  expect(await migrate(url)).toMatchObject({
    status: 0,
    entries: [{ severity: 'INFO', message: expect.stringMatching(/^\d+ migrations? applied$/) }],
  })
  expect((await onServer(url, 'select from runtime.idempotency_keys')).rowCount).toBe(0)
  expect(await migrate(url)).toMatchObject({
    status: 0,
    entries: [{ severity: 'INFO', message: 'The database has all migrations', count: 0 }],
  })
})

test('two at once both succeed, and one of them applies', async () => {
  const url = await makeDatabase({ empty: true })
  const runs = await Promise.all([migrate(url), migrate(url)])
  expect(runs.map(({ status }) => status)).toEqual([0, 0])
  const counts = runs.map(({ entries }) => Number(entries[0]?.count)).sort()
  expect(counts).toEqual([0, expect.any(Number)])
  expect(counts[1]).toBeGreaterThan(0)
})

test('what fails is a log entry with exit 1, warnings of the driver included', async () => {
  const url = new URL(await makeDatabase({ empty: true }))
  url.searchParams.set('sslmode', 'require') // which makes the driver warn, and the server refuse
  expect(await migrate(url.href)).toMatchObject({
    status: 1,
    entries: [
      { severity: 'WARNING', message: expect.stringContaining('SSL') },
      { severity: 'CRITICAL', message: 'The migrations were not applied', stack_trace: expect.any(String) },
    ],
  })
})
