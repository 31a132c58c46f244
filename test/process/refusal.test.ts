import { createServer } from 'node:net'
import { expect, inject, test } from 'vitest'
import { developmentSecret } from '#dev/machine/settings.ts'
import { expectLog, type LogEntry, spawnBundle, startNotes } from '#test/support/process.ts'
import { testAuth } from '#test/support/tokens.ts'

const onCloudRun = {
  PORT: '0',
  K_SERVICE: 'orders',
  ENVIRONMENT: 'live',
  DATABASE_URL: 'postgres://orders:hunter2hunter2@/orders?host=/cloudsql/p:r:i',
  AUTH_SECRET: testAuth.secret,
}

// What the runtime asks of a configuration; the service's own features may ask for more. test/config/ holds the rest: what
// each variable may be, and what they ask of one another.
const bundle = inject('notesBundle')

/** Starts the bundle, which must refuse with exit 1 and one line. */
async function refusal(environment: Record<string, string>): Promise<LogEntry> {
  const { lines, exit } = spawnBundle(environment, { file: bundle })
  expect({ status: await exit, lines }).toMatchObject({ status: 1, lines: [expect.any(String)] })
  const [entry] = expectLog(lines)
  expect(entry).toMatchObject({ severity: 'CRITICAL' })
  return entry as LogEntry
}

/** The variables that a refusal names. */
async function refused(environment: Record<string, string>): Promise<string[]> {
  const { problems, message } = await refusal(environment)
  for (const problem of problems as string[]) {
    expect(problem).toMatch(/^[A-Z_]+: .{10,}/)
    expect(message).toContain(problem)
  }
  return (problems as string[]).map((problem) => `${problem.split(':')[0]}`).sort()
}

test('on Cloud Run a complete configuration starts', async () => {
  await startNotes(onCloudRun)
})

test('every wrong value is named at once, with what would be right, and not shown', async () => {
  const wrong = {
    PORT: 'eighty',
    ENVIRONMENT: 'production',
    SERVICE_URL: 'orders.example.com/path',
    DATABASE_URL: 'mysql://root:hunter2hunter2@localhost/orders',
    DATABASE_POOL: '0',
    AUTH_TOKEN_TTL: 'tomorrow',
    LOG_LEVEL: 'loud',
    REPLY_CHECK: 'maybe',
    REQUEST_TIMEOUT: '2 days',
  }
  const entry = await refusal(wrong)
  const problems = entry.problems as string[]
  expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual(Object.keys(wrong).sort())
  expect(problems).toContain('LOG_LEVEL: must be one of debug, info, warn, error, silent')
  expect(problems).toContain('PORT: must be a whole number from 0 to 65535')
  expect(problems).toContainEqual(
    expect.stringMatching(
      /^DATABASE_URL: must be a PostgreSQL URL: postgres:\/\/ and then user:password@host:5432\/name, with %40 for @/,
    ),
  )
  const text = JSON.stringify(entry)
  for (const value of ['eighty', 'hunter2', 'tomorrow', 'loud', 'maybe']) expect(text).not.toContain(value)
})

test('on Cloud Run it refuses to start without a database, authentication and ENVIRONMENT', async () => {
  expect(await refused({ PORT: '0', K_SERVICE: 'orders' })).toEqual([
    'AUTH_SECRET',
    'DATABASE_URL',
    'ENVIRONMENT',
  ])
})

test('on Cloud Run the secret of development is refused, and not shown', async () => {
  const entry = await refusal({ ...onCloudRun, AUTH_SECRET: developmentSecret })
  expect(entry.problems).toEqual([expect.stringMatching(/^AUTH_SECRET: .*openssl rand/)])
  expect(JSON.stringify(entry)).not.toContain(developmentSecret)
})

test('a taken port is said in plain words', async () => {
  const other = createServer().listen(0)
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const PORT = String(typeof address === 'object' && address?.port)
  const { message, stack_trace: stack } = await refusal({ ...onCloudRun, PORT })
  expect(message).toBe(`Port ${PORT} is already in use: set PORT to another one.`)
  expect(stack).toBeUndefined()
  other.close()
})

test('an error in the making of the app is a log line with its stack', async () => {
  const { lines, exit } = spawnBundle(onCloudRun, {
    file: bundle,
    args: ['--import', './test/process/fixtures/no-server.ts'],
  })
  expect(await exit).toBe(1)
  expect(expectLog(lines)).toEqual([
    expect.objectContaining({
      severity: 'CRITICAL',
      message: 'The service cannot start',
      stack_trace: expect.stringMatching(/^Error: No server today\n +at /),
      serviceContext: { service: 'orders', version: 'unknown' },
    }),
  ])
})
