import { expect, test } from 'vitest'
import { realClock } from '#dev/cloud-tasks/clock.ts'
import { queue, startTarget, testEmulator } from '#test/support/emulator.ts'

const target = await startTarget()

async function createMany(create: (url: string) => Promise<string>, count: number) {
  for (let index = 0; index < count; index++) await create(`${target.url}/${index}`)
}

test('no more than the burst goes out at once, then what the rate allows', async () => {
  const settings = { rateLimits: { maxDispatchesPerSecond: 5 } }
  const { emulator, create } = await testEmulator({ settings })
  await createMany(create, 30)
  expect(await emulator.settle()).toHaveLength(10)
  emulator.advance(190)
  expect(await emulator.settle()).toHaveLength(0)
  emulator.advance(10)
  expect(await emulator.settle()).toHaveLength(1)
  emulator.advance(1000)
  expect(await emulator.settle()).toHaveLength(5)
  emulator.advance(3_600_000)
  expect(await emulator.settle()).toHaveLength(10)
})

test('no more than the concurrency is in flight', async () => {
  const { emulator, create } = await testEmulator({
    settings: { rateLimits: { maxConcurrentDispatches: 3 } },
  })
  const held: (() => void)[] = []
  target.received.length = 0
  target.answers = Array.from({ length: 5 }, () => (_, response) => held.push(() => response.end()))
  await createMany(create, 5)
  const settled = emulator.settle()
  await expect.poll(() => held.length).toBe(3)
  expect(target.received).toHaveLength(3)
  held.shift()?.()
  await expect.poll(() => held.length).toBe(3)
  expect(target.received).toHaveLength(4)
  for (const _ of [2, 3, 4, 5]) {
    await expect.poll(() => held.length).toBeGreaterThan(0)
    held.shift()?.()
  }
  expect(await settled).toHaveLength(5)
})

test('what is due first goes first', async () => {
  const { emulator, create } = await testEmulator({
    settings: { rateLimits: { maxConcurrentDispatches: 1 } },
  })
  target.received.length = 0
  const seconds = Math.floor(emulator.now() / 1000)
  for (const [name, offset] of [
    ['c', 3],
    ['a', 1],
    ['d', 3],
    ['b', 2],
  ] as const)
    await create(`${target.url}/${name}`, { scheduleTime: { seconds: seconds + offset } })
  emulator.advance(5000)
  await emulator.settle()
  expect(target.received.map(({ path }) => path.at(-1)).join('')).toBe('abcd')
})

test('failures are retried after the queue’s backoff, until both limits are reached: then the task is removed', async () => {
  const retryConfig = {
    ...{ minBackoff: '10s', maxBackoff: '300s', maxDoublings: 3, maxAttempts: 3, maxRetryDuration: '600s' },
  }
  const { emulator, client, create, lines } = await testEmulator({ settings: { retryConfig } })
  target.answers = Array.from({ length: 20 }, () => 500)
  const id = await create(target.url)
  const start = emulator.now()
  const times: number[] = []
  while (emulator.pending().length > 0) {
    times.push(...(await emulator.settle()).map(({ at }) => (at - start) / 1000))
    emulator.advance(5_000)
  }
  expect(times).toEqual([0, 10, 30, 70, 150, 310, 550, 850])
  expect(lines.at(-1)).toMatch(/attempt 8: .*, dropped$/)
  const gone = { code: 5, message: expect.stringContaining('The task no longer exists') }
  await expect(client.getTask({ name: `${queue}/tasks/${id}` })).rejects.toMatchObject(gone)
  target.answers = []
})

test('with the real clock it dispatches by itself, at the rate, with a retry after a failure, until it is closed', async () => {
  const rateLimits = { maxDispatchesPerSecond: 50 }
  const retryConfig = { minBackoff: '0.050s' }
  const { emulator, create } = await testEmulator({
    clock: realClock(),
    settings: { rateLimits, retryConfig },
  })
  target.received.length = 0
  target.answers = [503]
  const began = performance.now()
  await createMany(create, 15)
  await expect.poll(() => target.received.length).toBe(16)
  expect(performance.now() - began).toBeGreaterThan(100) // 10 at once, then 20 ms each
  await expect.poll(() => emulator.pending()).toEqual([])

  target.answers = [() => {}]
  await create(target.url)
  await expect.poll(() => target.received.length).toBe(17)
  await emulator.close()
  expect(emulator.pending()).toHaveLength(1)
})

test('a task whose time has not come waits for it on the real clock too', async () => {
  const { emulator, create } = await testEmulator({ clock: realClock() })
  target.received.length = 0
  const at = Date.now() + 150
  await create(target.url, { scheduleTime: { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 } })
  await expect.poll(() => target.received.length).toBe(1)
  expect(Date.now()).toBeGreaterThanOrEqual(at)
  expect(emulator.pending().length).toBeLessThanOrEqual(1)
})
