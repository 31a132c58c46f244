import { expect, test } from 'vitest'
import type { FaultSettings } from '#dev/cloud-tasks/faults.ts'
import { seededRandom } from '#dev/cloud-tasks/random.ts'
import { type Direction, stepsFeature } from '#test/support/steps.ts'
import { taskService } from '#test/support/task-service.ts'
import { written } from '#test/support/work.ts'

// Whatever Cloud Tasks does to its deliveries, each task writes once.

const count = 30
const texts = Array.from({ length: count }, (_, index) => `step ${String(index).padStart(2, '0')}`)

async function run(faults: FaultSettings, direct: () => Promise<Direction>) {
  let attempts = 0
  const { feature } = stepsFeature(() => {
    attempts++
    return direct()
  })
  const service = await taskService({ features: [feature] })
  const alice = await service.as('alice')
  service.emulator.faults.set(faults)
  for (const text of texts) expect((await alice('/steps', { json: { text } })).status).toBe(201)
  await service.drain({ until: '1h' })
  service.emulator.faults.set({})
  await service.advance('11m')
  await service.tick() // asks after what was lost
  await service.drain()
  const states = new Set((await service.ledger()).map(({ state }) => state))
  expect(service.emulator.pending()).toEqual([])
  return { attempts, states, written: await written(service.databaseUrl) }
}

test.each<[string, FaultSettings]>([
  ['delivers each twice', { duplicate: 1 }],
  ['delivers each twice at once', { duplicateAtOnce: 1 }],
  ['loses half of the answers', { loseAck: 0.5 }],
  ['delivers in any order', { reorder: 1 }],
  ['does all of that', { duplicate: 0.5, duplicateAtOnce: 0.5, loseAck: 0.5, reorder: 0.5 }],
])('Cloud Tasks %s: each task runs once, and writes once', async (_what, faults) => {
  const result = await run(faults, async () => 'write')
  expect(result.written).toEqual(texts)
  expect(result.states).toEqual(new Set(['done']))
  expect(result.attempts).toBe(count)
})

test.each<[string, FaultSettings]>([
  ['answers 503', { createUnavailable: 0.5 }],
  ['takes the task, and loses it', { drop: 0.3 }],
])('CreateTask %s: each task writes once', async (_what, faults) => {
  const result = await run(faults, async () => 'write')
  expect(result.written).toEqual(texts)
  expect(result.states).toEqual(new Set(['done']))
})

test('all of that to tasks that fail half of their attempts: each that is done wrote once, the dead nothing', async () => {
  const random = seededRandom(3)
  const faults = { duplicate: 0.3, duplicateAtOnce: 0.3, loseAck: 0.3, reorder: 0.5, createUnavailable: 0.2 }
  const result = await run(faults, async () => (random('fails') < 0.5 ? 'fail' : 'write'))
  expect(new Set(result.written).size).toBe(result.written.length)
  expect(result.states).toEqual(new Set(['done', 'dead']))
  expect(result.written.length).toBeGreaterThan(count / 2)
  expect(result.attempts).toBeGreaterThan(count)
})
