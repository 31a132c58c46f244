import { beforeAll, expect, test, vi } from 'vitest'
import { complaint, long, rehearsal } from '#test/support/rehearsal.ts'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, build, again, serving, version, image, changes, gcloud, script } = await rehearsal()
const quick = long.filter((id) => !id.endsWith('acceptance'))
let pushed: string
let answering: string | undefined

// What each of these builds finds: a service that is live.
beforeAll(async () => {
  expect((await build({ without: long })).ok).toBe(true)
  pushed = image()
  answering = (await version()).revision
})

/** Expects that live is as it was before. */
async function expectUntouched() {
  expect(serving()).toEqual([`${answering}=100`])
  project.fault = () => false
  expect((await version()).revision).toBe(answering)
}

/** The tags of live's revisions. */
const tags = () => project.services.get('runway-live')?.traffic.flatMap(({ tag }) => tag ?? [])

/** What was changed of live. */
const changesOfLive = () => changes().filter((change) => change.includes('runway-live'))

test('a migration that fails stops the build before anything is deployed', async () => {
  changes()
  const failing = await again(pushed, { broken: 'migrate' })
  expect(complaint(failing)).toMatch(/^staging-migrate: .*"code":"25006".*nothing was deployed/s)
  expect(changes()).toEqual(['run jobs deploy runway-staging-migrate'])
  await expectUntouched()
})

test('staging that fails its acceptance tests leaves live untouched', async () => {
  changes()
  const red = await again(pushed, { without: quick, broken: 'staging-acceptance' })
  expect(complaint(red)).toMatch(/^staging-acceptance: .*What to do next: live is untouched/s)
  expect(changesOfLive()).toEqual([])
  await expectUntouched()
})

test('a live revision that fails its tests under the tag gets no traffic, and keeps no tag', async () => {
  await gcloud('run', 'services', 'update-traffic', 'runway-live', '--to-latest') // as Cloud Run's own default is
  const without = [...quick.filter((id) => id !== 'live-accepted'), 'staging-acceptance']
  const red = await again(pushed, { without, broken: 'live-smoke' })
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

test('a live revision that does not answer publicly gives the traffic back', async () => {
  project.fault = (host, { url }) => host === 'runway-live' && url === '/version'
  changes()
  const red = await again(pushed)
  expect(complaint(red)).toMatch(/^live-traffic: .*does not say that .*Traffic is back: .*What to do next/s)
  expect(changesOfLive().slice(-2)).toEqual(['PUT runway-live', 'PUT runway-live'])
  expect(tags()).toEqual([])
  await expectUntouched()
  expect(await script('deploy/rollback', 'runway-live-closed').catch(({ stderr }) => stderr)).toContain(
    'no ready revision',
  )
})

test('a revision that does not start fails its deploy, and what served before still serves', async () => {
  const name = 'runway-live-auth-secret'
  const secret = project.secrets.get(name) ?? []
  project.secrets.set(name, [...secret, 'too short'])
  const red = await again(pushed)
  expect(complaint(red)).toMatch(/^live-revision: .*AUTH_SECRET: must be.*what served before still serves/s)
  await expectUntouched()
  project.secrets.set(name, secret)
})

test.each(['runway-live-auth-secret', 'runway-staging-database-url'])(
  'without the secret %s a build fails by its name, before anything moves',
  async (name) => {
    const secret = project.secrets.get(name) ?? []
    project.secrets.delete(name)
    changes()
    const red = await again(pushed)
    expect(complaint(red)).toMatch(
      new RegExp(`settings: .*Missing: a secret ${name} with an enabled version`, 's'),
    )
    expect(changes()).toEqual([])
    project.secrets.set(name, secret)
  },
)

test('what Google would not take of either environment is seen before anything moves', async () => {
  const { accounts } = project
  project.accounts = accounts.filter((account) => !account.startsWith('runway-live@'))
  changes()
  const red = await again(pushed)
  expect(complaint(red)).toMatch(/^live-settings: .*runway-live@.* does not exist.*nothing has moved yet/s)
  expect(changes()).toEqual([])
  project.accounts = accounts
})

test('without a secret of the build itself no step begins', async () => {
  const name = 'runway-live-test-token'
  const secret = project.secrets.get(name) ?? []
  project.secrets.delete(name)
  await expect(again(pushed)).rejects.toThrow(`Secret ${name}/versions/latest was not found`)
  project.secrets.set(name, secret)
})

test.each(['live-tasks', 'live-traffic'])(
  'of two builds that began at once, the later one to arrive is red at %s, and the other stays live',
  async (step) => {
    let other: Awaited<ReturnType<typeof build>> | undefined
    const overtaken = await again(pushed, {
      async before(id) {
        if (id !== step) return
        other = await again(pushed)
        changes()
      },
    })
    expect(other?.ok).toBe(true)
    expect(complaint(overtaken)).toMatch(new RegExp(`^${step}: Overtaken: .*What to do next: .*_IMAGE=`, 's'))
    expect(changes()).toEqual(['run services update-traffic runway-live']) // its tag
    expect(tags()).toEqual([])
    expect((await version()).revision).toContain(other?.id.slice(0, 8))
    expect(serving()).toEqual([expect.stringContaining(`${other?.id.slice(0, 8)}=100`)])
  },
)
