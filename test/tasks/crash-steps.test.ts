import { afterEach, describe, expect, test } from 'vitest'
import { stepProcess } from '#test/support/step-process.ts'
import type { Direction } from '#test/support/steps.ts'
import type { Moment, Path } from '#test/support/tap.ts'

// Kills the process of a task of several steps, at each point where it speaks to its database.

const service = await stepProcess()

afterEach(service.reset)

interface Kill {
  readonly moment: Moment
  readonly at: Path
  readonly left: string
  /** The steps that are stored then. */
  readonly steps: string[]
  /** Seconds until the task is over, at most: it sleeps 10 s and waits 20 s. */
  readonly within: number
}

/** Has a process killed, and lets another one finish. */
async function killed({ moment, at, left, steps, within }: Kill, direction: Direction): Promise<void> {
  await service.start()
  expect((await service.enqueue('Tea'))?.status).toBe(201)
  for (let attempt = 0; attempt < 10; attempt++) service.directions.push(direction)
  const { dead } = service.killAt(moment, at)
  let isDead = false
  void dead.then(() => {
    isDead = true
  })
  await service.emulator.settle()
  while (!isDead) {
    await service.advance(10_000) // the point may be behind the sleep
    await service.emulator.settle()
  }
  expect((await service.left()).tasks).toEqual([left])
  const stored = await service.query('select name from runtime.steps order by position')
  expect(stored.map(({ name }) => String(name).replace(/:.*/, ''))).toEqual(steps) // the key of a wait is the task's id
  await service.start()
  expect(await service.finish()).toBeLessThanOrEqual(within)
}

describe('a task of steps writes each once', () => {
  test.each<Kill>([
    { moment: 'before', at: 'finishStep', left: 'running 1/1', steps: [], within: 80 },
    { moment: 'before', at: ['finishStep', 'commit'], left: 'running 1/1', steps: [], within: 80 },
    { moment: 'after', at: ['finishStep', 'commit'], left: 'running 1/1', steps: ['first'], within: 80 },
    {
      moment: 'after',
      at: ['finishStep', 'finishStep'],
      left: 'running 1/1',
      steps: ['first', 'second'],
      within: 80,
    },
    { moment: 'before', at: 'startSleep', left: 'running 1/1', steps: ['first', 'second'], within: 80 },
    {
      moment: 'after',
      at: 'startSleep',
      left: 'pending 2/0',
      steps: ['first', 'second', 'nap'],
      within: 130,
    },
    { moment: 'before', at: 'startWait', left: 'running 2/1', steps: ['first', 'second', 'nap'], within: 80 },
    {
      moment: 'after',
      at: 'startWait',
      left: 'pending 3/0',
      steps: ['first', 'second', 'nap', 'word'],
      within: 130,
    },
  ])('killed right $moment $at', async (kill) => {
    await killed(kill, 'steps')
    expect(await service.written()).toEqual(['Tea 1', 'Tea 3'])
    expect(await service.ledger()).toMatchObject([{ state: 'done' }])
  })
})

describe('a task that dies after a step is undone once', () => {
  test.each<Kill>([
    { moment: 'before', at: 'requeueForUndo', left: 'running 1/1', steps: ['first'], within: 80 },
    { moment: 'after', at: 'requeueForUndo', left: 'pending 2/0', steps: ['first'], within: 130 },
    { moment: 'before', at: 'markUndone', left: 'running 2/1', steps: ['first'], within: 80 },
    { moment: 'after', at: 'markUndone', left: 'dead 2/1', steps: ['first'], within: 10 },
  ])('killed right $moment $at', async (kill) => {
    await killed(kill, 'undo')
    expect(await service.written()).toEqual(['Tea 1', 'Tea undone'])
    expect(await service.ledger()).toMatchObject([
      { state: 'dead', last_error: 'FatalError: It was told to fail after its step' },
    ])
  })
})

describe('a cancelled task whose undo fails for good is told of before it ends', () => {
  test.each<{ moment: Moment; left: string; more: number }>([
    { moment: 'before', left: 'running 3/1', more: 1 },
    { moment: 'after', left: 'cancelled 3/1', more: 0 },
  ])('killed right $moment markUndone: told $more times more', async ({ moment, left, more }) => {
    const first = await service.start()
    service.directions.push('lasting', 'lasting', 'lasting')
    await service.enqueue('Tea')
    await service.emulator.settle()
    const [{ id } = { id: '' }] = await service.ledger()
    const { dead } = service.killAt(moment, 'markUndone')
    expect((await service.api(`/runtime/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    await service.emulator.settle()
    await dead
    expect((await service.left()).tasks).toEqual([left])
    const told = /RUNTIME_TASK_UNDO_FAILED/
    expect(first.lines.filter((line) => told.test(line))).toHaveLength(1)

    const second = await service.start()
    await service.finish()
    expect(second.lines.filter((line) => told.test(line))).toHaveLength(more)
    expect(await service.ledger()).toMatchObject([
      { state: 'cancelled', last_error: expect.stringContaining('these undos have failed: first (') },
    ])
  })
})
