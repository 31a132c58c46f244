import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { startCloudTasks } from '#dev/local/cloud-tasks.ts'
import { freePort } from '#dev/machine/ports.ts'
import { cloudTasksClient } from '#test/support/emulator.ts'

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

test('what the emulator adds to the environment leads to its queue and its keys', async () => {
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const first = await startCloudTasks({ PORT: '8080' })
  const second = await startCloudTasks({ PORT: '8081' }) // the usual port is taken by now, by this test or another program
  expect(said).toHaveBeenCalledWith('Port 8123 is taken: the emulator of Cloud Tasks listens on another.\n')
  const { environment } = second
  expect(environment).toMatchObject({
    TASKS_INVOKER: 'tasks@dev.iam.gserviceaccount.com',
    TASKS_URL: 'http://localhost:8081',
    CLOUD_TASKS_EMULATOR_HOST: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  })
  const client = cloudTasksClient({ url: `http://${environment.CLOUD_TASKS_EMULATOR_HOST}` })
  const [queue] = await client.getQueue({ name: environment.TASKS_QUEUE ?? '' })
  expect(queue.retryConfig).toMatchObject({ maxAttempts: -1, maxBackoff: { seconds: '60' } })
  const discovery = await fetch(`${environment.OIDC_ISSUERS}/.well-known/openid-configuration`)
  expect(await discovery.json()).toMatchObject({ jwks_uri: environment.OIDC_JWKS_URL })
  const keys = (await (await fetch(environment.OIDC_JWKS_URL ?? '')).json()) as { keys: object[] }
  expect(keys.keys).toHaveLength(1)
  expect(keys.keys[0]).not.toHaveProperty('d')
  await Promise.all([first.stop(), second.stop()])
})

test('what is set is taken as it is', async () => {
  const tasks = await startCloudTasks({ TASKS_QUEUE: 'projects/p/locations/l/queues/q' })
  expect(tasks.environment).toEqual({})
})

function runEmulator(...args: string[]) {
  const child = spawn(process.execPath, ['dev/emulator.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const run = { child, output: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      run.output += chunk
    })
  return run
}

test('npm run emulator serves its queues on the port it was given, until a signal', async () => {
  const port = await freePort()
  const name = 'projects/p/locations/l/queues/q'
  const run = runEmulator('--port', `${port}`, '--queue', name)
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(async () => expect((await fetch(`${url}/emulator`)).ok).toBe(true))
  const client = cloudTasksClient({ url })
  expect((await client.getQueue({ name }))[0]).toMatchObject({ name })
  await vi.waitFor(() => expect(run.output).toContain(`CLOUD_TASKS_EMULATOR_HOST=127.0.0.1:${port}`))
  expect(run.output).toContain(name)
  const exit = once(run.child, 'exit')
  run.child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
})

test('npm run emulator says what is wrong with its arguments', async () => {
  const run = runEmulator('--port', '0', '--queue', 'nonsense')
  expect(await once(run.child, 'close')).toEqual([1, null])
  expect(run.output).toMatch(/^Queue name must be formatted/)
})
