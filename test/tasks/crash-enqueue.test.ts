import { afterEach, expect, test } from 'vitest'
import { atOnce, byTick, stepProcess, type TimedKill } from '#test/support/step-process.ts'

// Kills the process of a request that enqueues, at each point where it speaks to others.

const service = await stepProcess()

afterEach(service.reset)

const nothing: string[] = []
const pending = ['pending 1/0']

test.each<TimedKill>([
  { moment: 'before', at: 'enqueue', left: nothing, deliveries: 0, within: atOnce },
  { moment: 'after', at: 'enqueue', left: nothing, deliveries: 0, within: atOnce },
  { moment: 'before', at: ['enqueue', 'commit'], left: nothing, deliveries: 0, within: atOnce },
  { moment: 'after', at: ['enqueue', 'commit'], left: pending, deliveries: 0, within: byTick },
  { moment: 'before', at: 'createTask', left: pending, deliveries: 0, within: byTick },
  { moment: 'after', at: 'createTask', left: pending, deliveries: 1, within: atOnce },
  { moment: 'before', at: 'markQueued', left: pending, deliveries: 1, within: atOnce },
  { moment: 'after', at: 'markQueued', left: ['queued 1/0'], deliveries: 1, within: atOnce },
])('killed right $moment $at', async ({ moment, at, left, deliveries, within }) => {
  await service.start()
  const { dead } = service.killAt(moment, at)
  expect(await service.enqueue('Tea')).toBeUndefined()
  await dead
  expect(await service.left()).toEqual({ tasks: left, deliveries })

  await service.start()
  const retry = await service.enqueue('Tea') // the client, who heard nothing, retries under its key
  expect(retry?.status).toBe(201)
  expect(retry?.headers.get('idempotency-replayed')).toBe(left.length > 0 ? 'true' : null)
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.left()).toEqual({ tasks: ['done 1/1'], deliveries: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test('a script enqueues without Cloud Tasks, and may end right after: the tick sends it', async () => {
  await service.start()
  expect((await service.enqueue('Tea'))?.status).toBe(201)
  await service.finish()
  await service.query(`insert into runtime.tasks (id, name, payload, due_at)
      select gen_random_uuid(), name, payload || '{"text": "Coffee"}', runtime.service_now() from runtime.tasks`)
  expect(await service.finish()).toBeLessThanOrEqual(byTick)
  expect(await service.written()).toEqual(['Coffee', 'Tea'])
})
