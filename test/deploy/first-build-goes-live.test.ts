import { beforeAll, expect, test, vi } from 'vitest'
import { ownPolicies } from '#test/support/monitoring/files.ts'
import { otherThanOk, rehearsal } from '#test/support/rehearsal.ts'
import internal from '../../openapi/internal.json' with { type: 'json' }
import metadata from '../../package.json' with { type: 'json' }

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, build, version, image } = await rehearsal({ hasOwnServer: true })
let first: Awaited<ReturnType<typeof build>>

// The very first build of a project: nothing was ever deployed, and nobody said which commit it is.
beforeAll(async () => {
  first = await build({ without: ['check'] })
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

test('each environment has its own queue and, if the service has tasks, a tick that it takes', async () => {
  const response = await fetch(`${project.emulator.url}/v2/projects/rehearsal/locations/europe-west1/queues`)
  const { queues } = (await response.json()) as { queues: { name: string }[] }
  expect(queues).toMatchObject(
    ['live', 'staging'].map((name) => ({
      name: `projects/rehearsal/locations/europe-west1/queues/runway-${name}`,
      rateLimits: { maxConcurrentDispatches: 10, maxDispatchesPerSecond: 50 },
      retryConfig: { maxAttempts: -1, minBackoff: '1s', maxBackoff: '60s' },
    })),
  )
  if (!('/runtime/tick' in internal.paths)) return expect(project.schedulerJobs.size).toBe(0)
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

test('live has its alerts and its dashboard, and staging has none', () => {
  const { policies, dashboards, metrics } = project.monitoring
  expect([...dashboards.keys()]).toEqual(['runway-live'])
  expect([...metrics.keys()]).toContain('runway-live-requests')
  const names = [...policies.values()].map(({ displayName }) => displayName)
  expect(names.sort()).toEqual(
    ownPolicies()
      .map(([, { displayName }]) => displayName)
      .sort(),
  )
  expect(names.join()).not.toContain('staging')
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
