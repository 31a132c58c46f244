import { afterEach, describe, expect, test } from 'vitest'
import { stepProcess, type TimedKill } from '#test/support/step-process.ts'

// Kills the process of two tasks of which one may run at a time, at each point where the limit speaks to the database. Tea is the
// first of them, and Milk the second.

const service = await stepProcess()

afterEach(service.reset)

const enqueue = async (text: string) =>
  expect((await service.enqueue(text, '/steps/limited'))?.status).toBe(201)

/** Each task's state, dispatch/attempts and place: -1 if it is set aside, 0 if it was woken. */
async function left(): Promise<string[]> {
  const rows = await service.ledger()
  return rows.map((row) => `${row.state} ${row.dispatch}/${row.attempts} ${row.limit_slot ?? '-'}`)
}

async function finishes(within: number): Promise<void> {
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.written()).toEqual(['Milk', 'Tea'])
  expect(await service.ledger()).toMatchObject([{ state: 'done' }, { state: 'done' }])
}

/** Tea runs in the process, until it is answered. What is enqueued meanwhile is delivered at once. */
async function teaRuns(): Promise<{ finishTea: () => void; settled: Promise<unknown> }> {
  await service.start()
  await enqueue('Tea')
  const asking = service.hold()
  const settled = service.emulator.settle()
  const tea = await asking
  return { finishTea: () => tea.answer('write'), settled }
}

type LimitKill = Omit<TimedKill, 'deliveries'>

describe('a place is taken', () => {
  test.each<LimitKill>([
    { moment: 'before', at: 'takePlace', left: ['running 1/1 -'], within: 60 },
    { moment: 'after', at: 'takePlace', left: ['running 1/1 1'], within: 120 },
  ])('killed right $moment $at', async ({ moment, at, left: expected, within }) => {
    await service.start()
    await enqueue('Tea')
    const { dead } = service.killAt(moment, at)
    await service.emulator.settle()
    await dead
    expect(await left()).toEqual(expected)
    await service.start()
    await enqueue('Milk') // while nobody works in the place of Tea
    await finishes(within)
  })
})

describe('a task is set aside', () => {
  test.each<LimitKill>([
    { moment: 'before', at: 'giveBack', left: ['running 1/1 1', 'running 1/1 -'], within: 120 },
    { moment: 'after', at: 'giveBack', left: ['running 1/1 1', 'pending 2/0 -1'], within: 120 },
  ])('killed right $moment $at', async ({ moment, at, left: expected, within }) => {
    const { settled } = await teaRuns()
    const { dead } = service.killAt(moment, at)
    await service.enqueue('Milk', '/steps/limited') // it is delivered before its response
    await dead
    await settled
    expect(await left()).toEqual(expected)
    await service.start()
    await finishes(within)
  })
})

describe('the end of a task wakes the one that was set aside', () => {
  test.each<LimitKill>([
    {
      ...{ moment: 'before', at: ['markDone', 'commit', 'wakeTasks'] },
      ...{ left: ['done 1/1 1', 'pending 2/0 -1'], within: 120 },
    },
    {
      ...{ moment: 'after', at: ['markDone', 'commit', 'wakeTasks'] },
      ...{ left: ['done 1/1 1', 'pending 2/0 0'], within: 120 },
    },
    {
      ...{ moment: 'before', at: 'createTask' },
      ...{ left: ['done 1/1 1', 'pending 2/0 0'], within: 120 },
    },
    {
      ...{ moment: 'after', at: 'createTask' },
      ...{ left: ['done 1/1 1', 'pending 2/0 0'], within: 120 },
    },
  ])('killed right $moment $at', async ({ moment, at, left: expected, within }) => {
    const { finishTea, settled } = await teaRuns()
    await enqueue('Milk')
    await expect.poll(left).toEqual(['running 1/1 1', 'pending 2/0 -1'])
    await expect.poll(() => service.emulator.pending()).toHaveLength(1) // its callback is over
    const { dead } = service.killAt(moment, at)
    finishTea()
    await dead
    await settled
    expect(await left()).toEqual(expected)
    await service.start()
    await finishes(within)
  })
})
