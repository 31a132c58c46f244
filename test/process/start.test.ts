import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { freePort } from '#dev/machine/ports.ts'
import { atEnd } from '#test/support/at-end.ts'
import { client } from '#test/support/client.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noteScopes } from '#test/support/notes.ts'
import { expectLog, spawnProgram, startNotes, startService, startSteps } from '#test/support/process.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { as, testAuth } from '#test/support/tokens.ts'
import metadata from '../../package.json' with { type: 'json' }

const databaseUrl = await makeDatabase()

test('one line says how the service is configured, its secrets only as "set"', async () => {
  const PORT = String(await freePort())
  const { lines, url } = await startNotes({
    PORT,
    DATABASE_URL: databaseUrl,
    ENVIRONMENT: 'staging',
    K_SERVICE: 'orders',
    K_REVISION: 'orders-00042-abc',
    SERVICE_URL: 'https://orders.example.com',
  })
  expect(url).toBe(`http://127.0.0.1:${PORT}`)
  const [entry, ...others] = expectLog(lines)
  expect(others).toEqual([])
  expect(entry).toMatchObject({
    severity: 'INFO',
    message: `Listening on port ${PORT}`,
    configuration: {
      PORT: Number(PORT),
      ENVIRONMENT: 'staging',
      DATABASE_URL: 'set',
      AUTH_SECRET: 'set',
      SERVICE_URL: 'https://orders.example.com',
      LOG_LEVEL: 'info',
      REPLY_CHECK: 'fail',
      REQUEST_TIMEOUT: 300,
      K_REVISION: 'orders-00042-abc',
    },
  })
  expect(lines.join()).not.toContain(testAuth.secret)
  expect(lines.join()).not.toContain(new URL(databaseUrl).password)
  expect(lines.join()).not.toContain(new URL(databaseUrl).pathname)
})

test('a bundle takes a note from its token to its row', async () => {
  const { url } = await startNotes({ DATABASE_URL: databaseUrl })
  const alice = client(url, await as('alice', noteScopes))
  const written = await alice('/notes', { json: { text: 'Tea', pages: 2 } })
  const note = await expectJson(written, 201)
  expect(await expectJson(await alice(`${written.headers.get('location')}`))).toEqual(note)
  await expectJson(await alice('/ready'))
})

test('the bundle hands tasks over with Google’s client', async () => {
  const emulator = await createEmulator({ clock: manualClock() })
  atEnd(() => emulator.close())
  emulator.createQueue(testTasks.TASKS_QUEUE)
  const service = await startSteps({
    DATABASE_URL: databaseUrl,
    CLOUD_TASKS_EMULATOR_HOST: new URL(emulator.url).host,
  })
  const alice = client(service.url, await as('alice'))
  await expectJson(await alice('/steps', { json: { text: 'Tea' } }), 201)
  expect(emulator.pending()).toMatchObject([{ url: `${testTasks.TASKS_URL}/runtime/callbacks/steps.step` }])
})

test('it listens before it knows a database, and answers what needs none', async () => {
  const { url } = await startService({ DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/none` })
  const api = client(url)
  await expectJson(await api('/ping'))
  await expectJson(await api('/version'))
  await expectProblem(await api('/ready'), 503, 'NOT_READY')
})

test('it starts while the database accepts connections but says nothing', async () => {
  const mute = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => mute.once('listening', resolve))
  const address = mute.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { url } = await startService({ DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none` })
  await expectJson(await client(url)('/ping'))
  mute.close()
})

test('an empty variable is an unset one', async () => {
  const { lines } = await startService({ LOG_LEVEL: '', ENVIRONMENT: '', DATABASE_URL: '', K_SERVICE: '' })
  expect(expectLog(lines)[0]).toMatchObject({
    configuration: { LOG_LEVEL: 'debug', ENVIRONMENT: 'development' },
  })
  expect(lines.join()).not.toContain('DATABASE_URL')
})

test('`npm start` runs the bundle', async () => {
  const PORT = String(await freePort())
  const { PATH = '', HOME = '' } = process.env
  const env = { ...testTasks, PATH, HOME, PORT, ENVIRONMENT: 'live', DATABASE_URL: databaseUrl }
  const npm = spawnProgram('npm', ['start', '--silent'], {
    env: { ...env, AUTH_SECRET: testAuth.secret },
    detached: true, // a group of its own: npm does not hand a signal on to what its shell started
  })
  onTestFinished(() => void process.kill(-Number(npm.child.pid), 'SIGKILL'))
  await npm.line(/Listening on port/)
  expect(await expectJson(await client(`http://127.0.0.1:${PORT}`)('/version'))).toMatchObject({
    service: metadata.name,
    environment: 'live',
  })
  expectLog(npm.lines)
})
