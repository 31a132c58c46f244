import { readdirSync, readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { scripts } from '#test/support/scripts.ts'

const channel = 'projects/1/notificationChannels/9'

/** A project with what the alerts of `live` need, and the step that makes them. */
async function alerts({ tick = true } = {}) {
  const project = await scripts('test/deploy/fixtures/project.sh')
  const internal = { paths: tick ? { '/runtime/tick': {} } : {} }
  const contract = join(project.folder, 'openapi/internal.json')
  await writeFile(contract, JSON.stringify(internal, null, 2))
  async function step(environment: Record<string, string> = {}) {
    const before = (await project.calls()).length
    const run = await project.run('deploy/alerts', ['live'], { PROJECT_ID: 'demo-project', ...environment })
    const calls = (await project.calls()).slice(before).filter((call) => !/ list /.test(call))
    return { ...run, calls, short: calls.map((call) => call.replace(/ -.*/, '')) }
  }
  const policies = async () =>
    (await readFile(join(project.google, 'policies'), 'utf8')).match(/(?<=,)[\w-]+(?=,[0-9a-f]{16},)/g) ?? []
  return { ...project, step, policies }
}

const source = 'deploy/monitoring'
const namesOf = (kind: string) =>
  readdirSync(join(source, kind))
    .map((file) => basename(file, '.json'))
    .sort()
/** A fork may have others. */
const every = namesOf('policies')
const readsTick = (name: string) =>
  /"needs": "tick"/.test(readFileSync(join(source, 'policies', `${name}.json`), 'utf8'))

test('makes what the files say, changes what has changed, and removes what is gone', async () => {
  const project = await alerts()
  const mail = { ALERT_EMAIL: 'duty@example.com' }
  const first = await project.step(mail)
  expect([first.status, first.stderr]).toEqual([0, ''])
  expect(await project.policies()).toEqual(every)
  const made = first.calls.filter((call) => call.startsWith('monitoring policies create'))
  expect(made).toHaveLength(every.length)
  for (const call of made) expect(call).toContain(`--notification-channels ${channel}`)

  const second = await project.step(mail)
  expect([second.status, second.stderr]).toEqual([0, ''])
  expect(second.short).toEqual([
    ...namesOf('metrics').map((name) => `logging metrics update runway-live-${name}`),
    'monitoring dashboards update runway-live', // with the etag that it has
  ])

  const [changed, gone] = every
  const file = join(project.folder, source, `policies/${changed}.json`)
  await writeFile(file, (await readFile(file, 'utf8')).replace('{{service}}: ', '{{service}} has '))
  const policies = join(project.google, 'policies')
  const theirs = ',,,projects/1/alertPolicies/77\nother-live,latency,1,projects/1/alertPolicies/78\n'
  await writeFile(policies, (await readFile(policies, 'utf8')) + theirs)
  await rm(join(project.folder, source, `policies/${gone}.json`))
  const third = await project.step(mail)
  expect(third.short.filter((call) => call.includes('policies'))).toEqual([
    `monitoring policies update projects/1/alertPolicies/${changed}`,
    `monitoring policies delete projects/1/alertPolicies/${gone}`,
  ])
  expect(await readFile(policies, 'utf8')).toContain(theirs)

  const addressed = await project.step() // nobody is told any more
  expect(addressed.short.filter((call) => call.includes('policies update'))).toHaveLength(every.length - 1)
})

test('a service without tasks gets no alert that reads the tick, and loses those that it had', async () => {
  const few = every.filter((name) => !readsTick(name))
  const project = await alerts({ tick: false })
  const late = 'runway-live,tasks-late,0123456789abcdef,projects/1/alertPolicies/tasks-late\n'
  await project.step()
  expect(await project.policies()).toEqual(few)
  const policies = join(project.google, 'policies')
  await writeFile(policies, (await readFile(policies, 'utf8')) + late)
  await project.step()
  expect(await project.policies()).toEqual(few)
})

test('a metric that Google does not know yet ends no build: the next one makes its alerts', async () => {
  const project = await alerts()
  const early = await project.step({ NEW: 'true' })
  expect([early.status, early.stdout]).toEqual([
    0,
    expect.stringContaining('The next build makes the alerts'),
  ])
  expect(await project.policies()).toEqual([])
  const later = await project.step()
  expect([later.status, await project.policies()]).toEqual([0, every])
})

test('what Google refuses ends the step, and the message says that live is as it was', async () => {
  const project = await alerts()
  for (const FAIL of ['logging metrics list', 'monitoring dashboards list', 'monitoring policies list']) {
    const run = await project.step({ FAIL })
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('runway-live serves, whatever')])
  }
})

test.each(['duty', 'a@b,c@d', 'a b@c'])(
  'refuses the address %j, before anything is called',
  async (ALERT_EMAIL) => {
    const { step } = await alerts()
    const run = await step({ ALERT_EMAIL })
    expect([run.status, run.calls, run.stderr]).toEqual([1, [], expect.stringContaining('_ALERT_EMAIL')])
  },
)
