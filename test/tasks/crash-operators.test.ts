import { afterEach, describe, expect, test } from 'vitest'
import { atOnce, byTick, stepProcess, type TimedKill } from '#test/support/step-process.ts'
import type { Moment, Path } from '#test/support/tap.ts'
import { testTasks } from '#test/support/task-variables.ts'

// Kills the process of an operator's request, at each point where it speaks to others.

const service = await stepProcess()
const { api } = service

afterEach(service.reset)

const dead = ['dead 1/1']
const redriven = ['pending 2/0']

/** Starts a process with a task that is dead. Returns its id. */
async function startDead(): Promise<string> {
  await service.start()
  await service.enqueue('Tea')
  service.directions.push('fatal')
  await service.finish()
  expect(await service.left()).toEqual({ tasks: dead, deliveries: 0 })
  return (await service.ledger())[0]?.id ?? ''
}

/** Has a process killed while it redrives, and lets another one finish. Returns the response to the retry. */
async function redriveKilled(
  path: string,
  { moment, at, left, deliveries, within }: TimedKill,
): Promise<Response> {
  const killed = service.killAt(moment, at)
  await expect(api(path, { method: 'POST' })).rejects.toThrow('fetch failed')
  await killed.dead
  expect(await service.left()).toEqual({ tasks: left, deliveries })

  await service.start()
  const retry = await api(path, { method: 'POST' })
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.left()).toEqual({ tasks: ['done 2/1'], deliveries: 0 })
  expect(await service.written()).toEqual(['Tea'])
  return retry
}

describe('redriving a task', () => {
  test.each<TimedKill>([
    { moment: 'before', at: 'redriveTask', left: dead, deliveries: 0, within: atOnce },
    { moment: 'before', at: ['redriveTask', 'commit'], left: dead, deliveries: 0, within: atOnce },
    { moment: 'after', at: ['redriveTask', 'commit'], left: redriven, deliveries: 0, within: byTick },
    { moment: 'before', at: 'createTask', left: redriven, deliveries: 0, within: byTick },
    { moment: 'after', at: 'createTask', left: redriven, deliveries: 1, within: atOnce },
    { moment: 'before', at: 'markQueued', left: redriven, deliveries: 1, within: atOnce },
    { moment: 'after', at: 'markQueued', left: ['queued 2/0'], deliveries: 1, within: atOnce },
  ])('killed right $moment $at', async (kill) => {
    const retry = await redriveKilled(`/runtime/tasks/${await startDead()}/redrive`, kill)
    expect(retry.status).toBe(kill.left === dead ? 200 : 409)
  })
})

describe('redriving all tasks of a name', () => {
  test.each<TimedKill>([
    { moment: 'before', at: 'redriveTasks', left: dead, deliveries: 0, within: atOnce },
    { moment: 'before', at: ['redriveTasks', 'commit'], left: dead, deliveries: 0, within: atOnce },
    { moment: 'after', at: ['redriveTasks', 'commit'], left: redriven, deliveries: 0, within: byTick },
  ])('killed right $moment $at', async (kill) => {
    await startDead()
    const retry = await redriveKilled('/runtime/tasks/redrive?name=steps.step', kill)
    expect(await retry.json()).toMatchObject({ redriven: kill.left === dead ? 1 : 0 })
  })
})

test.each<{ moment: Moment; at: Path; left: string }>([
  { moment: 'before', at: 'forceCancelTask', left: 'queued 1/0' },
  { moment: 'before', at: ['forceCancelTask', 'commit'], left: 'queued 1/0' },
  { moment: 'after', at: ['forceCancelTask', 'commit'], left: 'cancelled 2/0' },
])('cancelling: killed right $moment $at, and repeated', async ({ moment, at, left }) => {
  await service.start()
  await service.enqueue('Tea')
  const [row] = await service.ledger()
  const path = `/runtime/tasks/${row?.id}/cancel`
  const killed = service.killAt(moment, at)
  await expect(api(path, { method: 'POST' })).rejects.toThrow('fetch failed')
  await killed.dead
  expect(await service.left()).toEqual({ tasks: [left], deliveries: 1 })

  await service.start()
  const retry = await api(path, { method: 'POST' })
  expect(await retry.json()).toMatchObject({ state: 'cancelled' })
  expect(retry.status).toBe(200)
  await service.finish()
  expect(await service.left()).toEqual({ tasks: ['cancelled 2/0'], deliveries: 0 })
  expect(await service.written()).toEqual([])
})

const queue = (verb: 'pause' | 'resume') =>
  fetch(`${service.emulator.url}/v2/${testTasks.TASKS_QUEUE}:${verb}`, { method: 'POST' })

test.each<{ moment: Moment; left: string; more: number }>([
  { moment: 'before', left: 'queued 3/0', more: 1 },
  { moment: 'after', left: 'cancelled 4/0', more: 0 },
])(
  'giving up undos: killed right $moment the commit, told $more times more',
  async ({ moment, left, more }) => {
    const first = await service.start()
    service.directions.push('lasting')
    await service.enqueue('Tea')
    await service.emulator.settle()
    const path = `/runtime/tasks/${(await service.ledger())[0]?.id}/cancel`
    await queue('pause')
    expect((await api(path, { method: 'POST' })).status).toBe(200)
    const killed = service.killAt(moment, ['forceCancelTask', 'commit'])
    await expect(api(path, { method: 'POST' })).rejects.toThrow('fetch failed')
    await killed.dead
    expect((await service.left()).tasks).toEqual([left])
    const told = /RUNTIME_TASK_UNDO_FAILED/
    expect(first.lines.filter((line) => told.test(line))).toHaveLength(1)

    await queue('resume')
    const second = await service.start()
    expect((await api(path, { method: 'POST' })).status).toBe(200)
    await service.finish()
    expect(second.lines.filter((line) => told.test(line))).toHaveLength(more)
    expect((await service.left()).tasks).toEqual(['cancelled 4/0'])
  },
)
