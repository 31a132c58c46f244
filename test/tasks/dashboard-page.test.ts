import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, expectProblem, type Json } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'
import { trial, trialFeature } from './trial.ts'

const work = defineTask({ name: 'trial.work', payload: z.object({}), async run() {} })
const features = [trialFeature({ tasks: [work] })]
const withEnvironment = (environment: Record<string, string>) =>
  testService({ databaseUrl: noDatabase, features, environment })

test.each([
  [{}, true],
  [{ TASKS_DASHBOARD: 'false' }, false],
  [{ ENVIRONMENT: 'staging' }, true],
  [{ ENVIRONMENT: 'live' }, false],
  [{ ENVIRONMENT: 'live', TASKS_DASHBOARD: 'true' }, true],
] as [Record<string, string>, boolean][])('with %j the page is served: %j', async (environment, served) => {
  const { api } = await withEnvironment(environment)
  for (const path of ['/runtime/dashboard', '/runtime/dashboard/dashboard.js']) {
    const response = await api(path)
    if (served) expect(response.status).toBe(200)
    else await expectProblem(response, 404, 'NOT_FOUND')
  }
})

test('a service without tasks has no dashboard', async () => {
  const { api } = await testService({ databaseUrl: noDatabase, features: [] })
  await expectProblem(await api('/runtime/dashboard'), 404, 'NOT_FOUND')
})

test('the page names the service, holds no data, and may write no markup', async () => {
  const { api } = await withEnvironment({ K_REVISION: 'r1' })
  const page = await api('/runtime/dashboard')
  expect(await page.text()).toMatch(/<p class="where">\S+ · development<\/p>/)
  const policy = page.headers.get('content-security-policy')
  expect(policy).toMatch(/default-src 'none'/)
  expect(policy).toMatch(/require-trusted-types-for 'script'; trusted-types 'none'/)
})

test.each([
  'dashboard.css',
  'call.js',
  'dashboard.js',
  'dom.js',
  'show.js',
  'show-batches.js',
  'show-tasks.js',
])('it has its file %s', async (name) => {
  const { api } = await withEnvironment({})
  const file = await api(`/runtime/dashboard/${name}`)
  expect(file.status).toBe(200)
  expect(file.headers.get('content-type')).toMatch(name.endsWith('.js') ? /^text\/javascript/ : /^text\/css/)
})

const logs =
  'https://console.cloud.google.com/logs/query;query=trace%3D%22projects%2Fmy-project%2Ftraces%2F{trace}%22;timeRange={from}%2F{to}?project=my-project'
const trace = 'https://console.cloud.google.com/traces/list?project=my-project&tid={trace}'
const own = 'https://logs.example.com/?trace={trace}'

test.each([
  [{}, {}],
  [{ GOOGLE_CLOUD_PROJECT: 'my-project' }, { logs, trace }],
  [{ TRACE_LOGS_URL: own }, { logs: own }],
  [
    { GOOGLE_CLOUD_PROJECT: 'my-project', TRACE_LOGS_URL: own },
    { logs: own, trace },
  ],
] as [Record<string, string>, Json][])('with %j the links are %j', async (environment, links) => {
  const service = await trial({ tasks: [work], environment })
  const olga = await service.as('olga', ['runtime:admin'])
  expect(await expectJson(await olga('/runtime/tasks/overview'))).toMatchObject({ links })
})

test.each(['javascript:alert({trace})', 'https://logs.example.com/', 'logs/{trace}', 'https://{trace}'])(
  'TRACE_LOGS_URL may not be %s',
  async (TRACE_LOGS_URL) => {
    await expect(withEnvironment({ TRACE_LOGS_URL })).rejects.toThrow(
      'TRACE_LOGS_URL: must be a URL with {trace} in it, such as https://logs.example.com/?trace={trace}',
    )
  },
)
