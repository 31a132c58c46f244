import { beforeAll, expect, test, vi } from 'vitest'
import { bundledImage } from '#dev/rehearsal/docker/build-image.ts'
import { lightImage } from '#test/support/light-image.ts'
import { complaint, exceptLive, rehearsal } from '#test/support/rehearsal.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, again, push, serving, version, changes, script } = await rehearsal()
const service = push(bundledImage(process.cwd()))
const light = push(lightImage())
const secret = 'runway-live-auth-secret'
let red: Awaited<ReturnType<typeof again>>

// A first build, whose live revision does not start.
beforeAll(async () => {
  const values = project.secrets.get(secret) ?? []
  project.secrets.set(secret, [...values, 'too short'])
  red = await again(service, { without: exceptLive })
  project.secrets.set(secret, values)
})

test('a first revision that does not start fails the build, and leaves no tag behind', () => {
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

test('a first revision that fails its acceptance tests does so too, and nobody can reach it', async () => {
  const without = exceptLive.filter((id) => !id.startsWith('live-accept'))
  const failing = await again(service, { without, broken: 'live-smoke' })
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

test('the next build goes live, and one that started as early does not replace it', async () => {
  let next: typeof red | undefined
  const overtaken = await again(light, {
    without: exceptLive,
    async before(id) {
      if (id === 'live-migrate') next = await again(light, { without: exceptLive })
    },
  })
  expect(next?.ok).toBe(true)
  expect(complaint(overtaken)).toMatch(/^live-migrate: Overtaken: nothing served when this build began/)
  const { revision } = await version()
  expect(revision).toContain(next?.id.slice(0, 8))
  expect(serving()).toEqual([`${revision}=100`])
})

test('a service about which Google says nothing is not taken for a new one', async () => {
  const before = serving()
  changes()
  const unknown = await again(light, {
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
