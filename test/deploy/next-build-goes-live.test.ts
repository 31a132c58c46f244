import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { bundledImage } from '#dev/rehearsal/docker/build-image.ts'
import { commandLine, gcloudIsInstalled, judgeable, refusals } from '#test/support/gcloud.ts'
import { lightImage } from '#test/support/light-image.ts'
import { complaint, exceptLive, long, otherThanOk, rehearsal } from '#test/support/rehearsal.ts'
import internal from '../../openapi/internal.json' with { type: 'json' }

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { project, build, again, push, serving, version, changes, script } = await rehearsal()
const service = push(bundledImage(process.cwd()))
const light = push(lightImage())
const deployed = ['migrate', 'revision', 'tasks', 'traffic']
/** What names one build only: a digest, a suffix, a tag. */
const ofOneBuild = /\b(sha256:[0-9a-f]{64}|\d{6}-\d{4}-[0-9a-f]{8}|b-[0-9a-f]{8})\b/g

// Builds of a service that is live.
beforeAll(async () =>
  expect(otherThanOk(await again(service))).toEqual(leftOut('build', 'push', 'live-contract')),
)

/** The steps that take long, and others, as left out. */
const leftOut = (...steps: string[]) => Object.fromEntries([...long, ...steps].map((id) => [id, 'left out']))

test('a second build changes the jobs, the revisions and the traffic, and nothing else', async () => {
  changes()
  const queues = project.emulator.state().queues
  const secrets = structuredClone(project.secrets)
  const before = await version()
  const second = await build({ without: long, substitutions: { COMMIT_SHA: 'c0ffee5c0ffee5' } })
  expect(otherThanOk(second)).toEqual(leftOut())
  expect(changes()).toEqual([
    ...['staging', 'live'].flatMap((name) => [
      `run jobs deploy runway-${name}-migrate`,
      `run deploy runway-${name}`,
      `tasks queues update runway-${name}`,
      ...('/runtime/tick' in internal.paths ? [`scheduler jobs update http runway-${name}`] : []),
      `PUT runway-${name}`,
      `PUT runway-${name}`,
    ]),
    ...readdirSync('deploy/monitoring/metrics')
      .sort()
      .map((file) => `logging metrics update runway-live-${basename(file, '.json')}`),
    'monitoring dashboards update runway-live', // no alert: their files are the same
  ])
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
  expect(await version()).toMatchObject({ commit: 'c0ffee5c0ffee5' })
  const build = await again(service)
  expect(otherThanOk(build)).toEqual(leftOut('build', 'push'))
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
    const alike = lines.map((line) =>
      line.replaceAll(ofOneBuild, (name) => name.replaceAll(/[0-9a-f]/g, '0')),
    )
    const { version, known, leftOut } = await judgeable([...new Set(alike)])
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
