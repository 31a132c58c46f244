import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scripts } from '#test/support/scripts.ts'

/** What the step of staging changes. `tick` and `job` say whether the service has a tick, and the project a job. */
async function changes({ tick, job }: { tick: boolean; job: boolean }) {
  const project = await scripts('test/deploy/fixtures/tasks.sh')
  const state = join(project.folder, '.build/staging')
  await mkdir(state, { recursive: true })
  await writeFile(join(state, 'tag'), 'b-12345678')
  const url = 'https://runway-staging-1.europe-west1.run.app'
  await writeFile(join(state, 'variables.yaml'), `"TASKS_INVOKER": "invoker@a"\n"TASKS_URL": "${url}"\n`)
  const internal = { paths: tick ? { '/runtime/tick': {} } : {} }
  await writeFile(join(project.folder, 'openapi/internal.json'), JSON.stringify(internal, null, 2))
  if (job) await writeFile(join(project.google, 'jobs'), 'runway-staging\n')
  const step = () => project.run('deploy/tasks', ['staging'], { PROJECT_ID: 'my-project' })
  const run = await step()
  expect([run.status, run.stderr]).toEqual([0, ''])
  const calls = (await project.calls()).filter((call) => !/ list\b/.test(call))
  return { ...project, step, output: run.stdout, calls: calls.map((call) => call.replace(/ -.*/, '')) }
}

const queue = 'tasks queues create runway-staging'

test('a service with tasks gets a queue, and a job that calls its tick', async () => {
  const { calls } = await changes({ tick: true, job: false })
  expect(calls).toEqual([queue, 'scheduler jobs create http runway-staging'])
})

test('a service without tasks gets no job: nothing would take its calls', async () => {
  const { calls, output } = await changes({ tick: false, job: false })
  expect(calls).toEqual([queue])
  expect(output).toContain('No Cloud Scheduler job: this service has no tasks')
})

test.each([true, false])('a job that is there stays, and is set right (tick: %s)', async (tick) => {
  const { calls } = await changes({ tick, job: true })
  expect(calls).toEqual([queue, 'scheduler jobs update http runway-staging'])
})

test('without the contract that says whether there is a tick, the step fails and says so', async () => {
  const { folder, step } = await changes({ tick: true, job: false })
  await rm(join(folder, 'openapi/internal.json'))
  const run = await step()
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('npm run openapi')])
})
