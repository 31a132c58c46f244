import { afterEach, expect, test } from 'vitest'
import { stepProcess } from '#test/support/step-process.ts'
import type { Moment, Tap } from '#test/support/tap.ts'

// Kills the process of an operator's request, at each word that it says.

const service = await stepProcess()
const { database, cloudTasks, api } = service

afterEach(service.reset)

const update = /update "runtime"."tasks" set "state"/
const createTask = /POST \/v2/
const markQueued = /update "runtime"."tasks" set state = 'queued'/

const dead = ['dead 1/1']
const again = ['pending 2/0']
/** Seconds until it is mended by Cloud Tasks, which has the alarm, and by the tick. */
const atOnce = 0
const byTick = 90

type Point = [
  ...[what: string, moment: Moment, tap: Tap, word: RegExp],
  ...[left: string[], alarms: number, within: number],
]
const points: Point[] = [
  ['the update', 'before', database, update, dead, 0, atOnce],
  ['the update', 'after', database, update, again, 0, byTick],
  ['CreateTask', 'before', cloudTasks, createTask, again, 0, byTick],
  ['CreateTask', 'after', cloudTasks, createTask, again, 1, atOnce],
  ['the note that it is queued', 'before', database, markQueued, again, 1, atOnce],
  ['the note that it is queued', 'after', database, markQueued, ['queued 2/0'], 1, atOnce],
]

/** Starts a process with a task that is dead. Returns its id. */
async function startDead(): Promise<string> {
  await service.start()
  await service.enqueue('Tea')
  service.directions.push('fatal')
  await service.finish()
  expect(await service.left()).toEqual({ tasks: dead, alarms: 0 })
  return (await service.ledger())[0]?.id ?? ''
}

const one = (id: string) => `/runtime/tasks/${id}/redrive`
const all = () => '/runtime/tasks/redrive?name=steps.step'

test.each([
  ...points.map((point) => ['one', ...point, one] as const),
  ...points.slice(0, 2).map((point) => ['all', ...point, all] as const),
])(
  'redriving %s, %s: killed right %s it',
  async (_which, _what, moment, tap, word, left, alarms, within, path) => {
    const id = await startDead()
    const killed = service.killAt(tap, moment, word)
    await expect(api(path(id), { method: 'POST' })).rejects.toThrow('fetch failed')
    await killed.dead
    expect(await service.left()).toEqual({ tasks: left, alarms })

    await service.start()
    const repeated = await api(path(id), { method: 'POST' })
    const once = left === dead ? { redriven: 1 } : { redriven: 0 }
    if (path(id).includes('?')) expect(await repeated.json()).toMatchObject(once)
    else expect(repeated.status).toBe(left === dead ? 200 : 409)
    expect(await service.finish()).toBeLessThanOrEqual(within)
    expect(await service.left()).toEqual({ tasks: ['done 2/1'], alarms: 0 })
    expect(await service.written()).toEqual(['Tea'])
  },
)

test.each<[Moment, string]>([
  ['before', 'queued 1/0'],
  ['after', 'cancelled 2/0'],
])('cancelling: killed right %s the update, and repeated', async (moment, left) => {
  await service.start()
  await service.enqueue('Tea')
  const [row] = await service.ledger()
  const path = `/runtime/tasks/${row?.id}/cancel`
  const killed = service.killAt(database, moment, update)
  await expect(api(path, { method: 'POST' })).rejects.toThrow('fetch failed')
  await killed.dead
  expect(await service.left()).toEqual({ tasks: [left], alarms: 1 })

  await service.start()
  const repeated = await api(path, { method: 'POST' })
  expect(await repeated.json()).toMatchObject({ state: 'cancelled' })
  expect(repeated.status).toBe(200)
  await service.finish()
  expect(await service.left()).toEqual({ tasks: ['cancelled 2/0'], alarms: 0 })
  expect(await service.written()).toEqual([])
})
