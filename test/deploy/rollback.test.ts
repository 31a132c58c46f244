import { expect, test } from 'vitest'
import { type PretendService, pretendService } from '#test/support/pretend-service.ts'

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
  const moves = service.replaced.map(({ spec }) =>
    spec.traffic
      .flatMap(({ revisionName, percent }) => (percent ? [`${revisionName}=${percent}`] : []))
      .join(),
  )
  return { ...run, moves, url: service.url, replaced: service.replaced }
}

const serving = (number: number) => `runway-live-${number},100,`

test('goes to the ready revision before, says which, and shows that it responds', async () => {
  const run = await rollback({ traffic: [serving(5)] })
  expect(run).toMatchObject({ status: 0, stderr: '', moves: ['runway-live-4=100'] })
  expect(run.stdout).toContain('runway-live: runway-live-5=100 → runway-live-4=100')
  expect(run.stdout).toContain(`${run.url}/version: {"version":"1","revision":"runway-live-4"}`)
  expect(run.stdout).toContain('until the next build')
})

test('leaves out one that is not ready', async () => {
  const traffic = [serving(4)]
  expect(await rollback({ traffic })).toMatchObject({ status: 0, moves: ['runway-live-2=100'] })
})

test('leaves out one that did not pass its build', async () => {
  const passed = ['runway-live-5', 'runway-live-2', 'runway-live-1']
  const run = await rollback({ traffic: [serving(5)], passed })
  expect(run).toMatchObject({ status: 0, moves: ['runway-live-2=100'] })
})

test('leaves the rest of the service, and the tags of builds that go on, as they are', async () => {
  const traffic = [serving(5), 'runway-live-6,,b-1234']
  const passed = ['runway-live-5', 'runway-live-4']
  const { replaced } = await rollback({ traffic, passed })
  expect(replaced).toMatchObject([
    {
      metadata: { annotations: { passed: 'runway-live-5 runway-live-4' } },
      spec: {
        template: { metadata: { annotations: {} } },
        traffic: [
          { revisionName: 'runway-live-4', percent: 100 },
          { revisionName: 'runway-live-6', tag: 'b-1234' },
        ],
      },
    },
  ])
})

test('reads the service once more, if something else of it was changed meanwhile', async () => {
  let others = 2
  const onReplace = (service: PretendService) => others-- > 0 && service.serve([serving(5)])
  const run = await rollback({ traffic: [serving(5)], onReplace })
  expect(run).toMatchObject({ status: 0, moves: ['runway-live-4=100'] })
})

test('does not take traffic from a build that went live at the same time', async () => {
  let others = 1
  const onReplace = (service: PretendService) => others-- > 0 && service.serve(['runway-live-6,100,'])
  const run = await rollback({ traffic: [serving(5)], onReplace })
  expect(run).toMatchObject({ status: 1, moves: [] })
  expect(run.stderr).toContain(
    'Somebody else moved the traffic of runway-live at the same time: runway-live-6=100',
  )
})

test('does not give back what a build has taken meanwhile', async () => {
  let moves = 0
  const onReplace = (service: PretendService) => {
    if (++moves === 2) service.serve(['runway-live-6,100,'])
  }
  const run = await rollback({ traffic: [serving(5)], mute: 'runway-live-4', onReplace })
  expect(run).toMatchObject({ status: 1, moves: ['runway-live-4=100'] })
  expect(run.stderr).toContain('nothing is given back: runway-live-6=100 serves')
})

test('takes the project as every script does', async () => {
  const service = await pretendService({ revisions, traffic: [serving(5)] })
  const run = await service.run('deploy/rollback', ['--project', 'demo-project'])
  expect(run).toMatchObject({ status: 0 })
  const none = await service.run('deploy/rollback')
  expect([none.status, none.stderr]).toEqual([
    2,
    expect.stringContaining(
      'No project: deploy/rollback --project PROJECT, or once for all: gcloud config set project',
    ),
  ])
})

test('after a rollback goes one further back, not forward again', async () => {
  expect(await rollback({ traffic: [serving(2)] })).toMatchObject({ status: 0, moves: ['runway-live-1=100'] })
})

test('from a split gives all to the older of the two', async () => {
  const traffic = ['runway-live-4,90,', 'runway-live-5,10,']
  expect(await rollback({ traffic })).toMatchObject({ status: 0, moves: ['runway-live-4=100'] })
})

test('goes to the one that is named, forward too', async () => {
  const run = await rollback({ traffic: [serving(2)] }, 'runway-live-5')
  expect(run).toMatchObject({ status: 0, moves: ['runway-live-5=100'] })
})

test('goes by which revision responds, not by what gcloud says about a newest one that did not start', async () => {
  const [, ...older] = revisions
  const state = { traffic: [serving(4)], revisions: ['runway-live-5,False,2026-01-05T00:00:00', ...older] }
  const run = await rollback(state)
  expect(run).toMatchObject({ status: 0, moves: ['runway-live-2=100'] })
  expect(run.stdout).toContain('live: runway-live-2. ')
})

test('gives traffic back as it was, if that revision does not respond', async () => {
  const traffic = ['runway-live-5,10,', 'runway-live-2,90,']
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

test('says so if there is nothing before, or nothing was ever deployed', async () => {
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
  ['what Google would have serve, once it is ready', [',100,']],
])('says that there is none to go back to, where only one was made and serves %s', async (_, traffic) => {
  const run = await rollback({ revisions: ['runway-live-1,False,2026-01-01T00:00:00'], traffic })
  expect(run).toMatchObject({ status: 1, moves: [] })
  expect(run.stderr).toContain('There is no revision to go back to. Ready, the newest first:\n\nServing: \n')
})
