import { expect, test } from 'vitest'
import { pretendService } from '#test/support/pretend-service.ts'

test('a person who runs it need not know what Cloud Build gives it', async () => {
  const service = await pretendService({})
  const run = await service.run('deploy/settings', ['staging'], { PROJECT_ID: 'my-project' })
  expect([run.status, run.stderr]).toEqual([0, ''])
  expect(run.stdout).toContain('"TASKS_URL": "https://runway-staging-123456789012.europe-west1.run.app"\n')
  expect(run.stdout).toMatch(/^Secrets: DATABASE_URL=runway-staging-database-url:3/m)
})
