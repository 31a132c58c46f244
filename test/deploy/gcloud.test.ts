import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lightImage } from '#test/support/light-image.ts'
import { rehearsal } from '#test/support/rehearsal.ts'

// What the real one refuses, the pretend one must: else a script that is wrong would pass.
const { project, gcloud, changes } = await rehearsal()
const name = `europe-west1-docker.pkg.dev/rehearsal/services/runway@sha256:${'0'.repeat(64)}`
project.images.set(name, lightImage())
const variables = join(project.folder, 'variables.yaml')
await writeFile(variables, '"ENVIRONMENT": "live"\n')

const account = 'runway-live@rehearsal.iam.gserviceaccount.com'
const good = {
  image: name,
  'revision-suffix': 'one',
  'service-account': account,
  'env-vars-file': variables,
  'set-secrets': 'DATABASE_URL=runway-live-database-url:1',
}

/** Deploys with these flags in place of good ones. */
function deploy(flags: Record<string, string>, ...switches: string[]) {
  const all = Object.entries({ ...good, ...flags }).map(([flag, value]) => `--${flag}=${value}`)
  return gcloud('run', 'deploy', 'runway-live', ...all, ...switches)
}

test.each([
  ['a flag', ['run', 'services', 'list', '--colour=red'], "Unknown option '--colour'"],
  ['a command', ['run', 'services', 'delete', 'runway-live'], 'run services delete .* is not imitated'],
  ['an argument', ['run', 'services', 'describe', 'one', 'two'], 'unrecognized arguments: two'],
  ['a service', ['run', 'services', 'describe', 'one'], String.raw`Cannot find service \[one\]`],
  ['a secret', ['secrets', 'versions', 'list', 'none'], 'NOT_FOUND: Secret .*none'],
  ['a queue', ['tasks', 'queues', 'update', 'none'], 'Requested entity was not found|does not exist'],
  ['a job', ['scheduler', 'jobs', 'update', 'http', 'none'], 'NOT_FOUND'],
])('%s that is not there is refused', async (_what, args, why) => {
  await expect(gcloud(...args)).rejects.toThrow(new RegExp(why))
})

test.each([
  ['no traffic', {}, ['--no-traffic'], '--no-traffic not supported when creating a new service'],
  ['an image that was not pushed', { image: 'runway:1' }, [], "Image 'runway:1' not found"],
  ['an unknown account', { 'service-account': 'me@example.com' }, [], 'me@example.com does not exist'],
  ['a tag that is too long', { tag: 't'.repeat(36) }, [], 'is too long for runway-live'],
  [
    'an unknown version of a secret',
    { 'set-secrets': 'A=runway-live-auth-secret:2' },
    [],
    'versions/2 was not found',
  ],
  [
    'a secret of the other',
    { 'set-secrets': 'A=runway-staging-auth-secret:1' },
    [],
    'Permission denied on secret',
  ],
])('a first deploy with %s is refused, and leaves no service', async (_what, flags, switches, why) => {
  await expect(deploy(flags, ...switches)).rejects.toThrow(why)
  expect(project.services.size).toBe(0)
})

test('what only asks is not in the journal', async () => {
  changes()
  expect(await gcloud('run', 'services', 'list', '--format=value(metadata.name)')).toBe('')
  expect(changes()).toEqual([])
})
