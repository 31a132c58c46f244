import { describe, expect, test } from 'vitest'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { overviewTrial } from './overview-trial.ts'

const { service, work, read, post } = await overviewTrial()
const { request, drain, query, ledger } = service
const actions = () =>
  service.lines.flatMap(({ operator, message }) => (operator ? [{ operator, message }] : []))

describe('run a task now', () => {
  test('a waiting task runs at once, once, and its earlier delivery is stale', async () => {
    const { id } = await request((tx) => enqueue(tx, work, {}, { delay: '1h' }))
    const ran = await expectJson(await post(`/runtime/tasks/${id}/run`))
    expect(ran).toMatchObject({ id, state: 'pending', dispatch: 2 })
    await drain()
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
    await drain({ until: '2h' })
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
  })

  test.each(['running', 'done', 'dead', 'cancelled'])('a task that is %s is a 409', async (state) => {
    const { id } = await request((tx) => enqueue(tx, work, {}))
    await query('update runtime.tasks set state = $1', [state])
    await expectProblem(await post(`/runtime/tasks/${id}/run`), 409, 'RUNTIME_TASK_NOT_WAITING')
    expect(await ledger()).toMatchObject([{ state, dispatch: 1 }])
  })
})

describe('run a schedule now', () => {
  const path = '/runtime/schedules/trial.nightly/run'

  test('its task is enqueued with its payload and the operator as caller, and its slots stay', async () => {
    expect(await service.tick()).toBe(200)
    const { schedules } = await read()
    const task = await expectJson(await post(path))
    expect(task).toMatchObject({ name: 'trial.other', state: 'pending', subject: 'olga' })
    await drain()
    expect(await ledger()).toMatchObject([{ id: task.id, state: 'done', payload: { part: 'all' } }])
    expect((await read()).schedules).toEqual(schedules)
  })

  test('a second request with the same key enqueues nothing', async () => {
    const headers = { 'Idempotency-Key': 'click-1' }
    const [one, two] = [await post(path, headers), await post(path, headers)]
    expect(await expectJson(one)).toEqual(await expectJson(two))
    expect(await ledger()).toHaveLength(1)
  })

  test('a schedule that this revision does not have is a 404', async () => {
    await expectProblem(await post('/runtime/schedules/gone.nightly/run'), 404, 'RUNTIME_SCHEDULE_NOT_FOUND')
  })
})

test('the log says who has done what', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}, { delay: '1h' }))
  const task = { id, name: 'trial.work' }
  await expectJson(await post(`/runtime/tasks/${id}/run`))
  await expectJson(await post(`/runtime/tasks/${id}/cancel`))
  await query("update runtime.tasks set state = 'dead'")
  await expectJson(await post(`/runtime/tasks/${id}/redrive`))
  await query("update runtime.tasks set state = 'dead'")
  await expectJson(await post('/runtime/tasks/redrive?name=trial.work'))
  const { id: scheduled } = await expectJson(await post('/runtime/schedules/trial.nightly/run'))
  expect(actions()).toEqual([
    {
      operator: { subject: 'olga', action: 'run now', task },
      message: `olga: run now of trial.work: task ${id}`,
    },
    {
      operator: { subject: 'olga', action: 'cancel', task },
      message: `olga: cancel of trial.work: task ${id}`,
    },
    {
      operator: { subject: 'olga', action: 'redrive', task },
      message: `olga: redrive of trial.work: task ${id}`,
    },
    {
      operator: { subject: 'olga', action: 'redrive', tasks: { name: 'trial.work', count: 1 } },
      message: 'olga: redrive of 1 × trial.work',
    },
    {
      operator: {
        ...{ subject: 'olga', action: 'run now', schedule: 'trial.nightly' },
        task: { id: scheduled, name: 'trial.other' },
      },
      message: `olga: run now of the schedule trial.nightly: task ${scheduled}`,
    },
  ])
})

test('what was refused is not logged as done', async () => {
  const { id } = await request((tx) => enqueue(tx, work, {}))
  await drain()
  for (const action of ['redrive', 'cancel', 'run'])
    expect((await post(`/runtime/tasks/${id}/${action}`)).status).toBe(409)
  expect(actions()).toEqual([])
})
