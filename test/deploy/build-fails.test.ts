import { beforeAll, expect, test, vi } from 'vitest'
import { bundledImage } from '#dev/rehearsal/docker/build-image.ts'
import { complaint, exceptLive, long, rehearsal } from '#test/support/rehearsal.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, again, push, serving, tags, version, changes, gcloud } = await rehearsal()
const service = push(bundledImage(process.cwd()))
let responding: string | undefined

// What each of these builds finds: a service that is live.
beforeAll(async () => {
  expect((await again(service, { without: exceptLive })).ok).toBe(true)
  responding = (await version()).revision
})

/** Expects that live is as it was before. */
async function expectUntouched() {
  expect(serving()).toEqual([`${responding}=100`])
  project.fault = () => false
  expect((await version()).revision).toBe(responding)
}

test('a migration that fails stops the build before anything is deployed', async () => {
  changes()
  const failing = await again(service, { broken: 'migrate' })
  expect(complaint(failing)).toMatch(/^staging-migrate: .*"code":"25006".*nothing was deployed/s)
  expect(changes()).toEqual(['run jobs deploy runway-staging-migrate'])
  await expectUntouched()
})

test('staging that fails its acceptance tests leaves live untouched', async () => {
  changes()
  const without = long.filter((id) => id !== 'staging-acceptance')
  const red = await again(service, { without, broken: 'staging-acceptance' })
  expect(complaint(red)).toMatch(/^staging-acceptance: .*What to do next: live is untouched/s)
  expect(changes().filter((change) => change.includes('runway-live'))).toEqual([])
  await expectUntouched()
})

test('a live revision that fails its tests under the tag gets no traffic, and keeps no tag', async () => {
  await gcloud('run', 'services', 'update-traffic', 'runway-live', '--to-latest') // as Cloud Run's own default is
  const without = exceptLive.filter((id) => !id.startsWith('live-accept'))
  const red = await again(service, { without, broken: 'live-smoke' })
  expect(complaint(red)).toMatch(/^live-accepted: .*What to do next: .*live's traffic is untouched/s)
  expect(red.steps.find(({ id }) => id === 'live-acceptance')?.result).toBe('failed')
  const [newest] = project.services.get('runway-live')?.revisions.slice(-1) ?? []
  expect(newest).toMatchObject({
    name: expect.stringContaining(red.id.slice(0, 8)),
    port: expect.any(Number),
  })
  expect(tags()).toEqual([])
  await expectUntouched()
})

test('a revision that does not start fails its deploy, and what served before still serves', async () => {
  const name = 'runway-live-auth-secret'
  const secret = project.secrets.get(name) ?? []
  project.secrets.set(name, [...secret, 'too short'])
  const red = await again(service, { without: exceptLive })
  expect(complaint(red)).toMatch(/^live-revision: .*AUTH_SECRET: must be.*what served before still serves/s)
  await expectUntouched()
  project.secrets.set(name, secret)
})
