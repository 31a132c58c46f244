import { expect, test } from 'vitest'
import { createApp } from '#src/app.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'
import { stepsFeature } from '#test/support/steps.ts'

interface Contract {
  tags: { name: string }[]
  paths: Record<string, Record<string, { operationId: string; security: object[]; responses: object }>>
  components: { schemas: object; securitySchemes: object }
}

const features = [stepsFeature(() => Promise.resolve('rest')).feature]
const { config, database, log, api } = await testService({ databaseUrl: noDatabase, features })
const internal = (await createApp({ config, database, log, features }).internalContract()) as Contract
const shown = await expectJson<Contract>(await api('/openapi.json'))
const operations = ({ paths }: Contract) =>
  Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))

test('it holds what Google calls, what the dashboard calls, and nothing else', () => {
  const securities = Object.entries(internal.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => [`${method} ${path}`, security]),
  )
  const [google, operator] = [[{ invoker: [] }], [{ bearer: ['runtime:admin'] }]]
  expect(Object.fromEntries(securities)).toEqual({
    'post /runtime/callbacks/{name}': google,
    'post /runtime/tick': google,
    'get /runtime/tasks/overview': operator,
    'post /runtime/tasks/{id}/run': operator,
    'post /runtime/tasks/signals': operator,
    'post /runtime/schedules/{name}/run': operator,
    'get /runtime/batches': operator,
    'get /runtime/batches/{id}': operator,
    'post /runtime/batches/{id}/cancel': operator,
  })
  expect(Object.keys(internal.components.securitySchemes)).toEqual(['invoker', 'bearer'])
})

test('they state what a wrong token gets', () => {
  for (const { responses } of Object.values(internal.paths).flatMap((methods) => Object.values(methods)))
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '401', '403', '503']))
})

test('the public document has the operators’ routes, and none of those', () => {
  expect(operations(shown)).toEqual(
    expect.arrayContaining([
      'runtimeListTasks',
      'runtimeGetTask',
      'runtimeRedriveTask',
      'runtimeRedriveTasks',
      'runtimeCancelTask',
    ]),
  )
  expect(operations(shown)).not.toContain('runTask')
  expect(operations(shown)).not.toContain('tick')
  for (const name of ['runtime.callbacks', 'runtime.overview'])
    expect(shown.tags.map(({ name }) => name)).not.toContain(name)
  expect(JSON.stringify(shown)).not.toMatch(
    /TaskDispatch|RuntimeTick|TaskOutcome|RuntimeOverview|\/runtime\/(tick|callbacks|schedules)|invoker/i,
  )
})

test('nobody is shown the internal one', async () => {
  for (const path of ['/internal.json', '/openapi/internal.json']) {
    await expectProblem(await api(path), 404, 'NOT_FOUND')
  }
})

test('without tasks there are no such routes at all', async () => {
  const { api } = await testService({ databaseUrl: noDatabase, features: [] })
  const { paths } = await expectJson<Contract>(await api('/openapi.json'))
  expect(Object.keys(paths).filter((path) => path.startsWith('/runtime'))).toEqual([])
  await expectProblem(await api('/runtime/tick', { method: 'POST' }), 404, 'NOT_FOUND')
  await expectProblem(await api('/runtime/tasks'), 404, 'NOT_FOUND')
})
