import { expect, test } from 'vitest'
import { pretendService } from '#test/support/pretend-service.ts'

const revisions = [
  'runway-live-5,True,2026-01-05T00:00:00',
  'runway-live-4,True,2026-01-04T00:00:00',
  'runway-live-3,False,2026-01-03T00:00:00',
  'runway-live-2,True,2026-01-02T00:00:00',
  'runway-live-1,True,2026-01-01T00:00:00',
]

/** Runs deploy/rollback. Returns how it ended, and where traffic was sent, one after the other. */
async function rollback(state: Parameters<typeof pretendService>[0], ...args: string[]) {
  const service = await pretendService({ revisions, ...state })
  const run = await service.run('deploy/rollback', args, { PROJECT_ID: 'demo-project' })
  const moves = (await service.calls()).map((call) => call.match(/--to-revisions (\S+)/)?.[1])
  return { ...run, moves: moves.filter((move) => move !== undefined), url: service.url }
}

const serving = (number: number) => `runway-live-${number},100,,`

test('goes to the ready revision before, says which, and shows that it answers', async () => {
  const run = await rollback({ traffic: [serving(5)] })
  expect(run).toMatchObject({ status: 0, stderr: '', moves: ['runway-live-4=100'] })
  expect(run.stdout).toContain('runway-live: runway-live-5=100 → runway-live-4=100')
  expect(run.stdout).toContain(`${run.url}/version: {"version":"1","revision":"runway-live-4"}`)
  expect(run.stdout).toContain('until the next build')
})

test.each([
  ['one that is not ready', [serving(4)], 'runway-live-2=100'],
  [
    'one that failed its build, and so kept its tag',
    [serving(5), 'runway-live-4,,b-1234,https://x'],
    'runway-live-2=100',
  ],
])('leaves out %s', async (_, traffic, move) => {
  expect(await rollback({ traffic })).toMatchObject({ status: 0, moves: [move] })
})

test('after a rollback goes one further back, not forward again', async () => {
  expect(await rollback({ traffic: [serving(2)] })).toMatchObject({ status: 0, moves: ['runway-live-1=100'] })
})

test('from a split gives all to the older of the two', async () => {
  const traffic = ['runway-live-4,90,,', 'runway-live-5,10,,']
  expect(await rollback({ traffic })).toMatchObject({ status: 0, moves: ['runway-live-4=100'] })
})

test('goes to the one that is named, forward too', async () => {
  const run = await rollback({ traffic: [serving(2)] }, 'runway-live-5')
  expect(run).toMatchObject({ status: 0, moves: ['runway-live-5=100'] })
})

test('goes by who answers, not by what gcloud says of a newest revision that did not start', async () => {
  const [, ...older] = revisions
  const state = { traffic: [serving(4)], revisions: ['runway-live-5,False,2026-01-05T00:00:00', ...older] }
  const run = await rollback(state)
  expect(run).toMatchObject({ status: 0, moves: ['runway-live-2=100'] })
  expect(run.stdout).toContain('live: runway-live-2. ')
})

test('gives traffic back as it was, where that one does not answer', async () => {
  const traffic = ['runway-live-5,10,,', 'runway-live-2,90,,']
  const run = await rollback({ traffic, mute: 'runway-live-4' }, 'runway-live-4')
  expect(run).toMatchObject({ status: 1, moves: ['runway-live-4=100', 'runway-live-5=10,runway-live-2=90'] })
  expect(run.stderr).toContain('Traffic is back: runway-live-5=10,runway-live-2=90')
})

test.each([
  ['an unknown one', 'runway-live-9', 'no ready revision'],
  ['one that is not ready', 'runway-live-3', 'no ready revision'],
  ['the one that serves', 'runway-live-5', 'has all the traffic already'],
])('refuses %s, and lists what is ready', async (_, name, reason) => {
  const run = await rollback({ traffic: [serving(5)] }, name)
  expect(run).toMatchObject({ status: 1, moves: [] })
  expect(run.stderr).toContain(reason)
  expect(run.stderr).toContain('runway-live-1 True 2026-01-01T00:00:00\nServing: runway-live-5=100')
})

test('says so where there is nothing before, and where nothing was ever deployed', async () => {
  const first = await rollback({ traffic: [serving(1)] })
  expect(first).toMatchObject({
    status: 1,
    moves: [],
    stderr: expect.stringContaining('no revision to go back to'),
  })
  expect(await rollback({})).toMatchObject({ status: 1, stderr: expect.stringContaining('never deployed') })
})

test.each([
  ['nothing', []],
  ['what Google would have serve, once it is ready', [',100,,']],
])('says that there is none to go back to, where only one was made and serves %s', async (_, traffic) => {
  const run = await rollback({ revisions: ['runway-live-1,False,2026-01-01T00:00:00'], traffic })
  expect(run).toMatchObject({ status: 1, moves: [] })
  expect(run.stderr).toContain('There is no revision to go back to. Ready, the newest first:\n\nServing: \n')
})
