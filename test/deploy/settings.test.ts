import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pretendService } from '#test/support/pretend-service.ts'

test('a person who runs it need not know what Cloud Build gives it', async () => {
  const service = await pretendService({})
  const run = await service.run('deploy/settings', ['staging'], { PROJECT_ID: 'my-project' })
  expect([run.status, run.stderr]).toEqual([0, ''])
  expect(run.stdout).toContain('"TASKS_URL": "https://runway-staging-123456789012.europe-west1.run.app"\n')
  expect(run.stdout).toMatch(/^Secrets: DATABASE_URL=runway-staging-database-url:3/m)
})

test.each([
  [
    'NOT_FOUND: Secret [runway-staging-database-url] not found',
    'Missing: a secret runway-staging-database-url',
  ],
  [
    'PERMISSION_DENIED: secretmanager.versions.list',
    'Google does not say whether runway-staging-database-url has a version',
  ],
  ['UNAVAILABLE: try again', 'Google does not say whether runway-staging-database-url has a version'],
])('where Google says %s, so does the step', async (refusal, message) => {
  const service = await pretendService({})
  await writeFile(join(service.google, 'refuses'), refusal)
  const run = await service.run('deploy/settings', ['staging', '--project', 'my-project'])
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining(message)])
  expect(run.stderr).toContain(refusal)
})

test('a DATABASE_URL that is no secret is refused', async () => {
  const service = await pretendService({})
  await writeFile(
    join(service.folder, 'deploy/environments/staging.env'),
    'DATABASE_URL=postgres://a:hidden@/d\n',
  )
  const run = await service.run('deploy/settings', ['staging', '--project', 'my-project'])
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('has no DATABASE_URL=secret:')])
})
