import { afterEach, describe, expect, test } from 'vitest'
import { byTick, stepProcess } from '#test/support/step-process.ts'
import type { Direction } from '#test/support/steps.ts'
import type { Moment, Path } from '#test/support/tap.ts'

// Kills the process of a callback, at each point where it speaks to others.

const service = await stepProcess()

afterEach(service.reset)

/** The seconds that it takes by Cloud Tasks' retry, and where the retry must wait for the end of the lease. */
const byRetry = 1
const byLease = 40

interface Kill {
  readonly moment: Moment
  readonly at: Path
  readonly left: string
  readonly deliveries?: number
  readonly end: string
  /** Seconds until the task is over, at most. */
  readonly within: number
}

async function killed(kill: Kill, ...directions: Direction[]): Promise<void> {
  const { moment, at, left, deliveries = 1, end, within } = kill
  await service.start()
  expect((await service.enqueue('Tea'))?.status).toBe(201)
  expect(await service.left()).toEqual({ tasks: ['queued 1/0'], deliveries: 1 })
  service.directions.push(...directions)
  const { dead } = service.killAt(moment, at)
  await service.emulator.settle()
  await dead
  expect(await service.left()).toEqual({ tasks: [left], deliveries })

  await service.start()
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.left()).toEqual({ tasks: [end], deliveries: 0 })
  expect(service.directions).toEqual([])
}

describe('an attempt that succeeds is written once', () => {
  const repeated = { left: 'running 1/1', end: 'done 1/2', within: byLease }

  test.each<Kill>([
    { moment: 'before', at: 'claim', left: 'queued 1/0', end: 'done 1/1', within: byRetry },
    { moment: 'after', at: 'claim', ...repeated },
    { moment: 'before', at: 'markDone', ...repeated },
    { moment: 'after', at: 'markDone', ...repeated },
    { moment: 'before', at: 'effect', ...repeated },
    { moment: 'after', at: 'effect', ...repeated },
    { moment: 'before', at: ['markDone', 'commit'], ...repeated },
    { moment: 'after', at: ['markDone', 'commit'], left: 'done 1/1', end: 'done 1/1', within: byRetry },
  ])('killed right $moment $at', async (kill) => {
    await killed(kill)
    expect(await service.written()).toEqual(['Tea'])
  })
})

describe('an attempt that fails is followed by one that is written', () => {
  const pending = { left: 'pending 2/1', end: 'done 2/2' }

  test.each<Kill>([
    { moment: 'before', at: 'requeueForRetry', left: 'running 1/1', end: 'done 1/2', within: byLease },
    { moment: 'after', at: 'requeueForRetry', ...pending, within: byTick },
    { moment: 'before', at: 'createTask', ...pending, within: byTick },
    { moment: 'after', at: 'createTask', ...pending, deliveries: 2, within: 5 },
    { moment: 'before', at: 'markQueued', ...pending, deliveries: 2, within: 5 },
    { moment: 'after', at: 'markQueued', left: 'queued 2/1', deliveries: 2, end: 'done 2/2', within: 5 },
  ])('killed right $moment $at', async (kill) => {
    await killed(kill, 'fail')
    expect(await service.written()).toEqual(['Tea'])
  })
})

describe('an attempt that fails for good', () => {
  test('killed right before bury: another attempt is made', async () => {
    const kill: Kill = {
      ...{ moment: 'before', at: 'markDead', left: 'running 1/1', end: 'dead 1/2', within: byLease },
    }
    await killed(kill, 'fatal', 'fatal')
    expect(await service.written()).toEqual([])
  })

  test('killed right after bury: the task stays dead', async () => {
    const kill: Kill = {
      ...{ moment: 'after', at: 'markDead', left: 'dead 1/1', end: 'dead 1/1', within: byRetry },
    }
    await killed(kill, 'fatal')
    expect(await service.written()).toEqual([])
  })

  test.each<{ moment: Moment; more: number }>([
    { moment: 'before', more: 1 },
    { moment: 'after', more: 0 },
  ])('killed right $moment markAnnounced: the tick tells it $more times more', async ({ moment, more }) => {
    const first = await service.start()
    await service.enqueue('Tea')
    service.directions.push('fatal')
    const { dead } = service.killAt(moment, ['markDead', 'markAnnounced'])
    await service.emulator.settle()
    await dead
    const told = /is dead after 1 attempts/
    expect(first.lines.filter((line) => told.test(line))).toHaveLength(1)

    const second = await service.start()
    await service.finish()
    await service.advance(31_000)
    await service.tick()
    await service.tick()
    expect(second.lines.filter((line) => told.test(line))).toHaveLength(more)
    expect(await service.query('select from runtime.tasks where announced_at is null')).toEqual([])
  })
})
