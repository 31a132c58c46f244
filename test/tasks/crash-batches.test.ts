import { afterEach, expect, test } from 'vitest'
import { expectJson } from '#test/support/expect.ts'
import { atOnce, byTick, stepProcess, type TimedKill } from '#test/support/step-process.ts'

// Kills the process of a batch of one step and a final task, at each point where it speaks to others.

const service = await stepProcess()

afterEach(service.reset)

/** Seconds, if the lease of a killed process must end first. */
const byLease = 60

/** Enqueues the batch; `undefined` if the process died meanwhile. */
const enqueueBatch = () => service.enqueue('Tea', '/steps/batch')

/** Two tasks of one millisecond are in no order. */
async function left() {
  const { tasks, deliveries } = await service.left()
  return { tasks: tasks.toSorted(), deliveries }
}

async function finishes(within: number): Promise<void> {
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.written()).toEqual(['1 of 1', 'Tea'])
  expect(await service.query('select name, state from runtime.tasks order by name')).toEqual([
    { name: 'steps.last', state: 'done' },
    { name: 'steps.step', state: 'done' },
  ])
}

test.each<TimedKill>([
  { moment: 'before', at: ['enqueueMany', 'commit'], left: [], deliveries: 0, within: atOnce },
  { moment: 'after', at: ['enqueueMany', 'commit'], left: ['pending 1/0'], deliveries: 0, within: byTick },
])('enqueueMany: killed right $moment $at', async ({ moment, at, left: expected, deliveries, within }) => {
  await service.start()
  const { dead } = service.killAt(moment, at)
  expect(await enqueueBatch()).toBeUndefined()
  await dead
  expect(await left()).toEqual({ tasks: expected, deliveries })
  await service.start()
  expect((await enqueueBatch())?.status).toBe(201) // the client, who heard nothing, retries under its key
  await finishes(within)
})

const ended = ['done 1/1', 'pending 1/0']

test.each<TimedKill>([
  {
    ...{ moment: 'before', at: ['markDone', 'commit'], left: ['running 1/1'] },
    ...{ deliveries: 1, within: byLease },
  },
  { moment: 'after', at: ['markDone', 'commit'], left: ended, deliveries: 1, within: byTick },
  { moment: 'before', at: 'takeOfBatch', left: ended, deliveries: 1, within: byTick },
  { moment: 'after', at: 'takeOfBatch', left: ended, deliveries: 1, within: byTick },
  { moment: 'before', at: 'createTask', left: ended, deliveries: 1, within: byTick },
  { moment: 'after', at: 'createTask', left: ended, deliveries: 2, within: byTick },
])('its end: killed right $moment $at', async ({ moment, at, left: expected, deliveries, within }) => {
  await service.start()
  expect((await enqueueBatch())?.status).toBe(201)
  const { dead } = service.killAt(moment, at)
  await service.emulator.settle()
  await dead
  expect(await left()).toEqual({ tasks: expected, deliveries })
  await service.start()
  await finishes(within)
})

test.each<TimedKill>([
  {
    ...{ moment: 'before', at: ['cancelBatch', 'commit'], left: ['queued 1/0'] },
    ...{ deliveries: 1, within: atOnce },
  },
  {
    ...{ moment: 'after', at: ['cancelBatch', 'commit'], left: ['cancelled 2/0', 'pending 1/0'] },
    ...{ deliveries: 1, within: byTick },
  },
  {
    ...{
      moment: 'after',
      at: ['cancelBatch', 'commit', 'takeOfBatch'],
      left: ['cancelled 2/0', 'pending 1/0'],
    },
    ...{ deliveries: 1, within: byTick },
  },
])('cancelBatch: killed right $moment $at', async ({ moment, at, left: expected, deliveries, within }) => {
  await service.start()
  const { id } = await expectJson((await enqueueBatch()) as Response, 201)
  const { dead } = service.killAt(moment, at)
  const cancel = () => service.api(`/steps/batch/${id}/cancel`, { method: 'POST' })
  await expect(cancel()).rejects.toThrow()
  await dead
  expect(await left()).toEqual({ tasks: expected, deliveries })
  await service.start()
  expect((await cancel()).status).toBe(200) // the client, who heard nothing, sends it again
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.written()).toEqual(['0 of 1'])
  expect(await service.query('select name, state from runtime.tasks order by name')).toEqual([
    { name: 'steps.last', state: 'done' },
    { name: 'steps.step', state: 'cancelled' },
  ])
})
