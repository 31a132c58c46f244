import { expect, test } from 'vitest'
import { pretendService } from '#test/support/pretend-service.ts'

test('shows what serves, its version, its queue and where its logs are, and changes nothing', async () => {
  const service = await pretendService({
    traffic: ['runway-live-2,90,', 'runway-live-3,10,', 'runway-live-3,,b-1234'],
    revisions: ['runway-live-3,True,2026-01-03T00:00:00', 'runway-live-2,True,2026-01-02T00:00:00'],
  })
  const run = await service.run('deploy/status', [], { PROJECT_ID: 'demo-project' })
  expect([run.status, run.stderr]).toEqual([0, ''])
  const [staging, live = ''] = run.stdout.split('── runway-live ──')
  expect(staging).toMatch(/── runway-staging ──\nNever deployed/)
  expect(live).toContain(`${service.url}\n  /version: {"version":"1","revision":"runway-live-2"}`)
  expect(live).toMatch(/runway-live-3 +2026-01-03T00:00:00 +True +10 b-1234/)
  expect(live).toMatch(/runway-live-2 +2026-01-02T00:00:00 +True +90 *\n/)
  expect(live).toContain('Queue: PAUSED')
  expect(live).toMatch(
    /deploy\/logs live --errors\n +gcloud logging read '.*runway-live-migrate"' --project demo-project/,
  )
  const calls = await service.calls()
  expect(calls.filter((call) => !/^(run|tasks) \S+ (list|describe) /.test(call))).toEqual([])
})

test('shows one environment alone, and refuses any other', async () => {
  const service = await pretendService({})
  const live = await service.run('deploy/status', ['live'], { PROJECT_ID: 'demo-project' })
  expect([live.status, live.stdout]).toEqual([0, expect.not.stringContaining('staging')])
  const other = await service.run('deploy/status', ['production'], { PROJECT_ID: 'demo-project' })
  expect([other.status, other.stderr]).toEqual([2, expect.stringContaining('Which environment')])
})
