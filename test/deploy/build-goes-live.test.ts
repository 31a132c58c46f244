import { beforeAll, expect, test, vi } from 'vitest'
import { commandLine, gcloudIsInstalled, judgeable, refusals } from '#test/support/gcloud.ts'
import { lightImage } from '#test/support/light-image.ts'
import { complaint, exceptLive, long, otherThanOk, rehearsal } from '#test/support/rehearsal.ts'
import metadata from '../../package.json' with { type: 'json' }

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, build, again, push, serving, version, image, changes, script } = await rehearsal({
  hasOwnServer: true,
})
const light = push(lightImage())
const deployed = ['migrate', 'revision', 'tasks', 'traffic']
let first: Awaited<ReturnType<typeof build>>
let firstImage: string

// The very first build of a project: nothing was ever deployed, and nobody said which commit it is.
beforeAll(async () => {
  first = await build({ without: ['check'] })
  firstImage = image()
})

test('a first build goes through all its steps, and is live under the public URL', async () => {
  expect(otherThanOk(first)).toEqual({ check: 'left out', 'live-contract': 'left out' })
  expect(first.ok).toBe(true)
  expect(await version()).toEqual({
    service: metadata.name, // K_SERVICE is not set where it serves: its callbacks come from an emulator
    revision: expect.stringMatching(new RegExp(`^runway-live-\\d{6}-\\d{4}-${first.id.slice(0, 8)}$`)),
    version: expect.stringMatching(new RegExp(`^\\d{6}-\\d{4}-${first.id.slice(0, 7)}$`)),
    commit: 'unknown',
    environment: 'live',
  })
  expect(await version('runway-staging')).toMatchObject({ environment: 'staging' })
  expect(image()).toMatch(/^europe-west1-docker\.pkg\.dev\/rehearsal\/services\/runway@sha256:[0-9a-f]{64}$/)
  expect(image('runway-staging')).toBe(image())
})

test('each environment has its own queue, and a tick that its service takes', async () => {
  const response = await fetch(`${project.emulator.url}/v2/projects/rehearsal/locations/europe-west1/queues`)
  const { queues } = (await response.json()) as { queues: { name: string }[] }
  expect(queues).toMatchObject(
    ['live', 'staging'].map((name) => ({
      name: `projects/rehearsal/locations/europe-west1/queues/runway-${name}`,
      rateLimits: { maxConcurrentDispatches: 10, maxDispatchesPerSecond: 50 },
      retryConfig: { maxAttempts: -1, minBackoff: '1s', maxBackoff: '60s' },
    })),
  )
  for (const name of ['staging', 'live']) {
    const job = project.schedulerJobs.get(`runway-${name}`)
    const uri = `https://runway-${name}-123456789.europe-west1.run.app/runtime/tick`
    expect(job).toMatchObject({ uri, status: '503' }) // at its first call the closed revision still served
    const { 'oidc-token-audience': audience = '', 'oidc-service-account-email': email = '' } = job ?? {}
    const call = { url: project.resolve(uri), audience: project.resolve(audience), email }
    expect(await project.emulator.tick(call)).toBe(200)
  }
})

test('the service knows both of its hosts: the one with the project’s number, and the one with a hash', () => {
  const hosts = project.services.get('runway-live')?.revisions.at(-1)?.environment.ALLOWED_HOSTS?.split(',')
  expect(hosts).toHaveLength(2)
  expect(hosts?.[1]).toBe(new URL(`${project.services.get('runway-live')?.url}`).host)
})

test('the environments share no secret and no database', () => {
  const [staging, live] = ['staging', 'live'].map((name) =>
    project.services.get(`runway-${name}`)?.revisions.at(-1),
  )
  for (const name of ['DATABASE_URL', 'AUTH_SECRET', 'TASKS_QUEUE', 'TASKS_URL', 'TASKS_INVOKER']) {
    expect(live?.environment[name]).toMatch(/./)
    expect(live?.environment[name]).not.toBe(staging?.environment[name])
  }
})

test('a second build changes the jobs, the revisions and the traffic, and nothing else', async () => {
  changes()
  const queues = project.emulator.state().queues
  const secrets = structuredClone(project.secrets)
  const before = await version()
  const second = await build({ without: long, substitutions: { COMMIT_SHA: 'c0ffee5c0ffee5' } })
  expect(otherThanOk(second)).toEqual(Object.fromEntries(long.map((id) => [id, 'left out'])))
  expect(changes()).toEqual(
    ['staging', 'live'].flatMap((name) => [
      `run jobs deploy runway-${name}-migrate`,
      `run deploy runway-${name}`,
      `tasks queues update runway-${name}`,
      `scheduler jobs update http runway-${name}`,
      `PUT runway-${name}`,
      `PUT runway-${name}`,
    ]),
  )
  expect(project.emulator.state().queues).toEqual(queues)
  expect(project.secrets).toEqual(secrets)
  const now = await version()
  expect(now).toMatchObject({
    commit: 'c0ffee5c0ffee5',
    version: expect.stringMatching(/^\d{6}-\d{4}-c0ffee5$/),
  })
  expect(now.revision).not.toBe(before.revision)
  expect(project.services.get('runway-live')?.traffic).toEqual([{ revisionName: now.revision, percent: 100 }])
})

test('an image that was pushed before goes live without being built again', async () => {
  expect(image()).not.toBe(firstImage)
  const build = await again(firstImage, { without: ['staging-acceptance'] })
  const given = {
    check: 'left out',
    build: 'left out',
    try: 'left out',
    push: 'left out',
    'staging-acceptance': 'left out',
  }
  expect(otherThanOk(build)).toEqual(given)
  expect(await version()).toMatchObject({
    commit: 'unknown',
    revision: expect.stringContaining(build.id.slice(0, 8)),
  })
})

test('a build goes live without Cloud SQL', async () => {
  const { ok } = await again(light, {
    without: [...long, 'live-contract'],
    substitutions: { _CLOUD_SQL: 'none' },
  })
  expect(ok).toBe(true)
})

if (gcloudIsInstalled) {
  test('every command of these builds is one that the real gcloud takes', async ({ annotate }) => {
    const lines = project.commands.filter(([word]) => word !== 'PUT').map(commandLine)
    const { version, known, leftOut } = await judgeable(lines)
    for (const line of leftOut) await annotate(`gcloud ${version} is too old for: ${line}`)
    expect(await refusals(known)).toEqual([])
  })
}

test('_UNTIL ends a build earlier', async () => {
  changes()
  const { ok, steps } = await again(light, { substitutions: { _UNTIL: 'staging' } })
  expect(ok).toBe(true)
  const done = steps.filter(({ result }) => result === 'ok').map(({ id }) => id)
  expect(done).toEqual(['staging-settings', ...deployed.map((step) => `staging-${step}`)])
  expect(changes().filter((change) => change.includes('live'))).toEqual([])
  const pushed = await build({ without: long, substitutions: { _UNTIL: 'image' } })
  expect(pushed.steps.flatMap(({ id, result }) => (result === 'ok' ? [id] : []))).toEqual(['build', 'push'])
  expect(changes()).toEqual([])
  expect(complaint(await build({ without: long, substitutions: { _UNTIL: 'stagin' } }))).toContain(
    "_UNTIL is 'stagin'",
  )
})

test('after a rollback that pins an older revision, the next build has all traffic again', async () => {
  const [old, newest] = project.services.get('runway-live')?.revisions.slice(-2) ?? []
  expect((await version()).revision).toBe(newest?.name)
  expect(await script('deploy/rollback')).toContain(`live: ${old?.name}`)
  expect((await version()).revision).toBe(old?.name)
  expect(serving()).toEqual([`${old?.name}=100`])
  const { id, ok } = await again(light, { without: exceptLive })
  expect(ok).toBe(true)
  const { revision } = await version()
  expect(revision).toContain(id.slice(0, 8))
  expect(serving()).toEqual([`${revision}=100`])
})
