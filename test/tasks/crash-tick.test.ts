import { afterEach, describe, expect, test } from 'vitest'
import { type Kill, stepProcess } from '#test/support/step-process.ts'

// Kills the process of a tick, at each point where it speaks to others.

const service = await stepProcess()

afterEach(service.reset)

/** Has a tick killed at a point, and starts another process. */
async function tickKilled({ moment, at, left, deliveries }: Kill): Promise<void> {
  const { dead } = service.killAt(moment, at)
  expect(await service.tick()).toBe(504)
  await dead
  expect(await service.left()).toEqual({ tasks: left, deliveries })
  await service.start()
}

describe('what was not handed over is sent by a later tick', () => {
  test.each<Kill>([
    { moment: 'before', at: 'takeUndelivered', left: ['pending 1/0'], deliveries: 0 },
    { moment: 'after', at: 'takeUndelivered', left: ['pending 1/0'], deliveries: 0 },
    { moment: 'before', at: 'createTask', left: ['pending 1/0'], deliveries: 0 },
    { moment: 'after', at: 'createTask', left: ['pending 1/0'], deliveries: 1 },
    { moment: 'before', at: 'markQueued', left: ['pending 1/0'], deliveries: 1 },
    { moment: 'after', at: 'markQueued', left: ['queued 1/0'], deliveries: 1 },
  ])('killed right $moment $at', async (kill) => {
    await service.start()
    service.emulator.faults.set({ createUnavailable: 1 })
    await service.enqueue('Tea')
    service.emulator.faults.set({})
    expect(await service.left()).toEqual({ tasks: ['pending 1/0'], deliveries: 0 })
    await service.advance(31_000)
    await tickKilled(kill)
    expect(await service.finish()).toBeLessThanOrEqual(90)
    expect(await service.left()).toEqual({ tasks: ['done 1/1'], deliveries: 0 })
    expect(await service.written()).toEqual(['Tea'])
  })
})

describe('what a killed process held is rescued by a later tick', () => {
  test.each<Kill>([
    { moment: 'before', at: 'rescueTasks', left: ['running 1/1'], deliveries: 1 },
    { moment: 'after', at: 'rescueTasks', left: ['pending 2/1'], deliveries: 1 },
  ])('killed right $moment $at', async (kill) => {
    await service.start()
    await service.enqueue('Tea')
    service.directions.push('die')
    await service.emulator.settle()
    await service.start()
    await service.advance(30_001)
    await tickKilled(kill)
    expect(await service.finish()).toBeLessThanOrEqual(60)
    expect(await service.written()).toEqual(['Tea'])
    expect(await service.ledger()).toMatchObject([{ state: 'done', attempts: 2 }])
  })
})

describe('a delivery that Cloud Tasks lost is found by a later tick', () => {
  test.each<Kill>([
    { moment: 'before', at: 'takeOverdueDeliveries', left: ['queued 1/0'], deliveries: 0 },
    { moment: 'after', at: 'takeOverdueDeliveries', left: ['queued 1/0'], deliveries: 0 },
    { moment: 'before', at: 'getTask', left: ['queued 1/0'], deliveries: 0 },
    { moment: 'after', at: 'getTask', left: ['queued 1/0'], deliveries: 0 },
    { moment: 'before', at: 'requeueLost', left: ['queued 1/0'], deliveries: 0 },
    { moment: 'after', at: 'requeueLost', left: ['pending 2/0'], deliveries: 0 },
  ])('killed right $moment $at', async (kill) => {
    await service.start()
    await service.enqueue('Tea')
    await service.loseDeliveries()
    await service.advance(601_000)
    await tickKilled(kill)
    expect(await service.finish()).toBeLessThanOrEqual(660)
    expect(await service.left()).toEqual({ tasks: ['done 2/1'], deliveries: 0 })
    expect(await service.written()).toEqual(['Tea'])
  })
})

describe('a slot of a schedule is enqueued once', () => {
  test.each<Kill>([
    { moment: 'before', at: 'enqueue', left: [], deliveries: 0 },
    { moment: 'after', at: 'enqueue', left: [], deliveries: 0 },
    { moment: 'before', at: ['enqueue', 'commit'], left: [], deliveries: 0 },
    { moment: 'after', at: ['enqueue', 'commit'], left: ['pending 1/0'], deliveries: 0 },
  ])('killed right $moment $at', async (kill) => {
    await service.start()
    await service.tick() // the schedule starts
    await service.query("update runtime.schedules set last_slot = last_slot - interval '1 year'")
    await tickKilled(kill)
    await service.tick()
    await service.tick()
    expect(await service.left()).toMatchObject({ tasks: [expect.any(String)] })
  })
})

describe('what has been over for long is deleted by the next tick', () => {
  test.each<Kill>([
    { moment: 'before', at: 'pruneTasks', left: ['done 1/1'], deliveries: 0 },
    { moment: 'after', at: 'pruneTasks', left: [], deliveries: 0 },
  ])('killed right $moment $at', async (kill) => {
    await service.start()
    await service.enqueue('Tea')
    await service.finish()
    await service.advance(8 * 86_400_000)
    await tickKilled(kill)
    expect(await service.tick()).toBe(200)
    expect(await service.ledger()).toEqual([])
  })
})

describe('a death that nobody told of is told by the next tick', () => {
  test.each<Kill & { readonly times: number }>([
    { moment: 'before', at: 'markAnnounced', left: ['dead 1/1'], deliveries: 0, times: 1 },
    { moment: 'after', at: 'markAnnounced', left: ['dead 1/1'], deliveries: 0, times: 1 },
    { moment: 'before', at: ['markAnnounced', 'commit'], left: ['dead 1/1'], deliveries: 0, times: 1 },
    { moment: 'after', at: ['markAnnounced', 'commit'], left: ['dead 1/1'], deliveries: 0, times: 0 },
  ])('killed right $moment $at: $times times', async ({ times, ...kill }) => {
    await service.start()
    await service.enqueue('Tea')
    service.directions.push('fatal')
    await service.finish()
    await service.query('update runtime.tasks set announced_at = null') // as where the process ended before it could
    await service.advance(31_000)
    const told = () => service.process.lines.filter((line) => /is dead after 1 attempts/.test(line))
    await tickKilled(kill)
    await service.tick()
    await service.tick()
    expect(told()).toHaveLength(times)
    expect(await service.query('select from runtime.tasks where announced_at is null')).toEqual([])
  })
})
