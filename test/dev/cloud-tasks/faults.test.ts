import { afterEach, expect, test, vi } from 'vitest'
import { createFaults } from '#dev/cloud-tasks/faults.ts'
import { queue, startTarget, taskHeaders, testEmulator } from '#test/support/emulator.ts'

const target = await startTarget()
const { emulator, client, create } = await testEmulator()

afterEach(async () => {
  emulator.faults.set({})
  await client.purgeQueue({ name: queue })
  target.received.length = 0
  target.answers = []
})

test('a task is delivered twice, one after the other, as one attempt', async () => {
  emulator.faults.set({ duplicate: 1 })
  await create(target.url)
  expect(await emulator.settle()).toMatchObject([{ attempt: 1, outcome: 'done' }])
  const [first, second] = target.received.map(taskHeaders)
  expect(second).toEqual(first)
  expect(target.received).toHaveLength(2)
})

test('a task is delivered twice at once', async () => {
  emulator.faults.set({ duplicateAtOnce: { times: 1 } })
  const held: (() => void)[] = []
  target.answers = [1, 2].map(() => (_, response) => held.push(() => response.end()))
  await create(target.url)
  const settled = emulator.settle()
  await expect.poll(() => held.length).toBe(2)
  for (const answer of held) answer()
  expect(await settled).toHaveLength(1)
})

test('an acknowledgement is lost, and the task comes back as after no response', async () => {
  emulator.faults.set({ loseAck: { times: 1 } })
  await create(target.url)
  expect(await emulator.settle()).toMatchObject([{ status: 504, outcome: 'retried' }])
  emulator.advance(1000)
  expect(await emulator.settle()).toMatchObject([{ status: 200, outcome: 'done' }])
  expect(target.received.map(taskHeaders)[1]).toMatchObject({
    ...{ TaskRetryCount: '1', TaskExecutionCount: '0', TaskPreviousResponse: '504' },
  })
})

test('tasks come in another order, the same for the same seed', async () => {
  const { emulator, create } = await testEmulator({
    settings: { rateLimits: { maxConcurrentDispatches: 1 } },
  })
  async function order(seed: number) {
    target.received.length = 0
    emulator.faults.set({ reorder: 0.5, seed })
    for (const name of 'abcdefgh') await create(`${target.url}/${name}`)
    emulator.advance(1000)
    await emulator.settle()
    return target.received.map(({ path }) => path.at(-1)).join('')
  }
  const first = await order(1)
  expect(first).not.toBe('abcdefgh')
  expect([...first].sort().join('')).toBe('abcdefgh')
  expect(await order(1)).toBe(first)
  expect(await order(2)).not.toBe(first)
})

test('a dispatch is late, by no more than told', async () => {
  emulator.faults.set({ delay: 1, delayUpTo: 60_000 })
  await create(target.url)
  expect(await emulator.settle()).toEqual([])
  emulator.advance(60_000)
  expect(await emulator.settle()).toHaveLength(1)
})

test('CreateTask creates and never responds', async () => {
  emulator.faults.set({ createTimesOut: { times: 1 } })
  const task = { name: `${queue}/tasks/unanswered`, httpRequest: { url: target.url } }
  const caller = new AbortController()
  const request = { method: 'POST', body: JSON.stringify({ task }), signal: caller.signal }
  const late = fetch(`${emulator.url}/v2/${queue}/tasks`, request)
  await vi.waitFor(() => expect(emulator.pending()).toHaveLength(1))
  caller.abort()
  await expect(late).rejects.toThrow('aborted')
  await expect(client.createTask({ parent: queue, task })).rejects.toMatchObject({ code: 6 })
  expect(await emulator.settle()).toMatchObject([{ task: 'unanswered' }])
})

test('CreateTask is unavailable, and creates nothing', async () => {
  emulator.faults.set({ createUnavailable: 1 })
  const message = 'The service is currently unavailable.'
  await expect(create(target.url)).rejects.toMatchObject({ code: 14, message })
  expect(emulator.pending()).toEqual([])
})

test('a task is lost without a word', async () => {
  emulator.faults.set({ drop: 1 })
  const id = await create(target.url)
  expect(await emulator.settle()).toEqual([])
  await expect(client.getTask({ name: `${queue}/tasks/${id}` })).rejects.toMatchObject({ code: 5 })
})

test('faults can be set over HTTP', async () => {
  const set = { method: 'POST', body: JSON.stringify({ drop: { times: 1 } }) }
  expect((await fetch(`${emulator.url}/emulator/faults`, set)).status).toBe(200)
  await create(target.url)
  await create(target.url)
  expect(emulator.pending()).toHaveLength(1)
})

test('a share is met in the long run, and each fault has a sequence of its own', () => {
  const decisions = (settings: Parameters<ReturnType<typeof createFaults>['set']>[0]) => {
    const faults = createFaults()
    faults.set(settings)
    return Array.from(
      { length: 1000 },
      () => [faults.happens('duplicate'), faults.happens('loseAck')] as const,
    )
  }
  const alone = decisions({ duplicate: 0.2, seed: 7 }).map(([duplicate]) => duplicate)
  const together = decisions({ duplicate: 0.2, loseAck: 0.5, seed: 7 })
  expect(together.map(([duplicate]) => duplicate)).toEqual(alone)
  expect(alone.filter(Boolean).length).toBeGreaterThan(150)
  expect(alone.filter(Boolean).length).toBeLessThan(250)
  expect(together.filter(([, lost]) => lost).length).toBeGreaterThan(430)
  expect(decisions({ duplicate: 0.2, seed: 8 }).map(([duplicate]) => duplicate)).not.toEqual(alone)
})
