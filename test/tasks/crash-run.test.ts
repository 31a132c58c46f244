import { afterEach, expect, test } from 'vitest'
import { stepProcess } from '#test/support/step-process.ts'

// Ends the process while a task runs.

const service = await stepProcess()

afterEach(service.reset)

/** Starts a process that runs a step, which waits for what it is told. */
async function startRunning() {
  const first = await service.start()
  await service.enqueue('Tea')
  const held = service.hold()
  const settled = service.emulator.settle()
  return { first, asking: await held, settled }
}

test('killed while it runs: the lease holds the task for 30 s, then it runs elsewhere', async () => {
  const { first, settled } = await startRunning()
  first.child.kill('SIGKILL')
  await settled
  await service.start()
  await service.advance(29_999)
  expect(await service.emulator.settle()).toMatchObject([{ status: 409 }])
  expect(await service.left()).toEqual({ tasks: ['running 1/1'], deliveries: 1 })
  await service.advance(2)
  await service.tick()
  await service.emulator.settle()
  expect(await service.left()).toEqual({ tasks: ['done 2/2'], deliveries: 1 })
  expect(await service.finish()).toBeLessThanOrEqual(10)
  expect(await service.written()).toEqual(['Tea'])
})

test('killed while it runs: Cloud Tasks comes back by itself as well', async () => {
  const { first, settled } = await startRunning()
  first.child.kill('SIGKILL')
  await settled
  await service.start()
  expect(await service.finish()).toBeLessThanOrEqual(40)
  expect(await service.left()).toEqual({ tasks: ['done 1/2'], deliveries: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test('a process that is cut off, not dead, may finish as long as nobody took its task', async () => {
  const { asking, settled } = await startRunning()
  await service.advance(45_000)
  asking.answer('write')
  expect(await settled).toMatchObject([{ status: 200 }])
  expect(await service.left()).toEqual({ tasks: ['done 1/1'], deliveries: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test('a task that kills its process each time is dead after its attempts, and says why', async () => {
  await service.start()
  await service.enqueue('Tea')
  for (let attempt = 1; attempt <= 3; attempt++) {
    service.directions.push('die')
    await service.emulator.settle()
    expect(await service.process.exit).toBe('SIGKILL')
    expect(await service.left()).toEqual({
      tasks: [`running ${attempt}/${attempt}`],
      deliveries: expect.any(Number),
    })
    await service.start()
    await service.advance(30_001)
    await service.tick()
  }
  await service.finish()
  expect(await service.ledger()).toMatchObject([
    {
      state: 'dead',
      attempts: 3,
      last_error: expect.stringContaining('The process ended during the last attempt'),
    },
  ])
  expect(await service.written()).toEqual([])
  expect(service.process.lines.filter((line) => /is dead after 3 attempts/.test(line))).toHaveLength(1)
})

test('SIGTERM while it runs: given back at once, not counted, and run elsewhere', async () => {
  const { first, settled } = await startRunning()
  first.child.kill('SIGTERM')
  expect(await settled).toMatchObject([{ status: 409 }])
  expect(await service.left()).toEqual({ tasks: ['queued 1/0'], deliveries: 1 })
  expect(await first.exit).toBe(0)

  await service.start()
  expect(await service.finish()).toBe(1)
  expect(await service.left()).toEqual({ tasks: ['done 1/1'], deliveries: 0 })
  expect(await service.written()).toEqual(['Tea'])
})

test.each([
  { moment: 'before', left: 'running 1/1', end: 'done 1/2', within: 40 },
  { moment: 'after', left: 'queued 1/0', end: 'done 1/1', within: 1 },
] as const)('SIGTERM, and killed right $moment release', async ({ moment, left, end, within }) => {
  const { first, settled } = await startRunning()
  const { dead } = service.killAt(moment, 'releaseTask')
  first.child.kill('SIGTERM')
  await dead
  await settled
  expect(await service.left()).toEqual({ tasks: [left], deliveries: 1 })
  await service.start()
  expect(await service.finish()).toBeLessThanOrEqual(within)
  expect(await service.left()).toEqual({ tasks: [end], deliveries: 0 })
  expect(await service.written()).toEqual(['Tea'])
})
