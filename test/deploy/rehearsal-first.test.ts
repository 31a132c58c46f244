import { beforeAll, expect, test, vi } from 'vitest'
import { complaint, long, rehearsal } from '#test/support/rehearsal.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, build, again, serving, version, image, changes, script } = await rehearsal()
const name = 'runway-live-auth-secret'
const secret = project.secrets.get(name) ?? []
let red: Awaited<ReturnType<typeof build>>

// A first build, whose live revision does not start.
beforeAll(async () => {
  project.secrets.set(name, [...secret, 'too short'])
  red = await build({ without: long })
  project.secrets.set(name, secret)
})

test('a first revision that does not start is red, and leaves no tag behind', () => {
  expect(complaint(red)).toMatch(/^live-revision: .*AUTH_SECRET: must be.*What to do next/s)
  expect(changes().slice(-3)).toEqual([
    'run deploy runway-live',
    'run deploy runway-live',
    'run services update-traffic runway-live',
  ])
  expect(project.services.get('runway-live')?.traffic).toMatchObject([
    { revisionName: 'runway-live-closed', percent: 100 },
  ])
})

test('so is one that fails its acceptance tests, and nobody can reach it', async () => {
  const without = long.filter((id) => !id.startsWith('live-'))
  const failing = await again(image('runway-staging'), { without, broken: 'live-smoke' })
  expect(complaint(failing)).toMatch(/^live-accepted: .*did not pass its acceptance tests.*What to do next/s)
  const response = await fetch(`${project.services.get('runway-live')?.url}/version`)
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60'])
  expect(project.services.get('runway-live')?.traffic).toMatchObject([
    { revisionName: 'runway-live-closed', percent: 100 },
  ])
  project.fault = () => false
})

test('there is nothing to roll back to, least of all the closed revision', async () => {
  await expect(script('deploy/rollback')).rejects.toThrow('There is no revision to go back to')
})

test('the next build goes live, and one that began as early does not replace it', async () => {
  let next: typeof red | undefined
  const overtaken = await again(image('runway-staging'), {
    async before(id) {
      if (id === 'live-migrate') next = await again(image('runway-staging'))
    },
  })
  expect(next?.ok).toBe(true)
  expect(complaint(overtaken)).toMatch(/^live-migrate: Overtaken: nothing served when this build began/)
  const { revision } = await version()
  expect(revision).toContain(next?.id.slice(0, 8))
  expect(serving()).toEqual([`${revision}=100`])
})

test('a service that Google does not tell of is not taken for a new one', async () => {
  const before = serving()
  changes()
  const unknown = await again(image(), {
    async before(id) {
      project.mute = id === 'live-settings' ? 'run services list' : undefined
    },
  })
  expect(complaint(unknown)).toMatch(
    /^live-settings: .*does not say whether there is a service runway-live.*What to do next: .*once more/s,
  )
  expect(changes()).toEqual([])
  expect(serving()).toEqual(before)
})
