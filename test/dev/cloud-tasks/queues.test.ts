import { describe, expect, test } from 'vitest'
import { location, noQueue, queue, refused, testEmulator } from '#test/support/emulator.ts'

const { emulator, client } = await testEmulator()
const url = 'http://127.0.0.1:1/work'
const unknown = `${location}/queues/unknown`

describe('queues', () => {
  test('have Google’s defaults', async () => {
    const [made] = await client.createQueue({ parent: location, queue: { name: `${location}/queues/plain` } })
    expect(made).toMatchObject({
      name: `${location}/queues/plain`,
      state: 'RUNNING',
      rateLimits: { maxDispatchesPerSecond: 500, maxBurstSize: 100, maxConcurrentDispatches: 1000 },
      retryConfig: {
        ...{ maxAttempts: 100, maxDoublings: 16, maxRetryDuration: { seconds: '0', nanos: 0 } },
        ...{ minBackoff: { seconds: '0', nanos: 100_000_000 }, maxBackoff: { seconds: '3600', nanos: 0 } },
      },
      purgeTime: null,
    })
    expect((await client.getQueue({ name: `${location}/queues/plain` }))[0]).toEqual(made)
  })

  test('take settings, and change those that an update names', async () => {
    const name = `${location}/queues/set`
    const retryConfig = { maxAttempts: -1, minBackoff: { seconds: 1 }, maxBackoff: { seconds: 60 } }
    await client.createQueue({ parent: location, queue: { name, retryConfig } })
    const rateLimits = { maxDispatchesPerSecond: 50 }
    const [updated] = await client.updateQueue({
      queue: { name, rateLimits },
      updateMask: { paths: ['rate_limits.max_dispatches_per_second'] },
    })
    expect(updated).toMatchObject({
      rateLimits: { maxDispatchesPerSecond: 50, maxConcurrentDispatches: 1000 },
      retryConfig: { maxAttempts: -1, minBackoff: { seconds: '1' }, maxBackoff: { seconds: '60' } },
    })
  })

  test('are made by an update, where there is none', async () => {
    const name = `${location}/queues/updated`
    await client.updateQueue({ queue: { name } })
    expect((await client.getQueue({ name }))[0]).toMatchObject({ name })
  })

  test('are listed by location, in the order of their names', async () => {
    const parent = 'projects/test/locations/there'
    for (const id of ['b', 'a'])
      await client.createQueue({ parent, queue: { name: `${parent}/queues/${id}` } })
    const [listed] = await client.listQueues({ parent })
    expect(listed.map(({ name }) => name)).toEqual([`${parent}/queues/a`, `${parent}/queues/b`])
  })

  test('are paused, resumed and purged', async () => {
    const name = `${location}/queues/paused`
    await client.createQueue({ parent: location, queue: { name } })
    expect((await client.pauseQueue({ name }))[0]).toMatchObject({ state: 'PAUSED' })
    expect((await client.resumeQueue({ name }))[0]).toMatchObject({ state: 'RUNNING' })
    await client.createTask({ parent: name, task: { name: `${name}/tasks/gone`, httpRequest: { url } } })
    const [purged] = await client.purgeQueue({ name })
    expect(purged.purgeTime).toBeTruthy()
    expect(emulator.pending(name)).toEqual([])
    const again = { parent: name, task: { name: `${name}/tasks/gone`, httpRequest: { url } } }
    await refused(client.createTask(again), 'ALREADY_EXISTS', 'Requested entity already exists')
  })

  test('keep their name for a week after their end', async () => {
    const name = `${location}/queues/deleted`
    const again = () => client.createQueue({ parent: location, queue: { name } })
    await again()
    await refused(again(), 'ALREADY_EXISTS', 'Queue already exists')
    await client.createTask({ parent: name, task: { httpRequest: { url } } })
    await client.deleteQueue({ name })
    const recent = 'The queue cannot be created because a queue with this name existed too recently.'
    await refused(again(), 'FAILED_PRECONDITION', recent)
    await refused(client.createTask({ parent: name, task: { httpRequest: { url } } }), 'NOT_FOUND', noQueue)
    emulator.advance(7 * 86_400_000)
    await again()
    expect(emulator.pending(name)).toEqual([])
  })

  test('that are unknown are not found', async () => {
    await refused(client.getQueue({ name: unknown }), 'NOT_FOUND', noQueue)
    for (const method of ['pauseQueue', 'resumeQueue', 'purgeQueue'] as const)
      await refused(client[method]({ name: unknown }), 'NOT_FOUND', noQueue)
    await refused(client.deleteQueue({ name: unknown }), 'NOT_FOUND', 'Requested entity was not found.')
  })

  test.each([
    [
      { rateLimits: { maxDispatchesPerSecond: 501 } },
      'RateLimits.maxDispatchesPerSecond must be less than or equal to 500.',
    ],
    [{ rateLimits: { maxDispatchesPerSecond: -1 } }, 'RateLimits.maxDispatchesPerSecond cannot be negative.'],
    [
      { rateLimits: { maxConcurrentDispatches: 5001 } },
      'RateLimits.maxConcurrentDispatches must be less than or equal to 5000.',
    ],
    [{ retryConfig: { maxAttempts: -2 } }, 'RetryConfig.maxAttempts must be greater or equal to -1.'],
    [{ retryConfig: { maxDoublings: -1 } }, 'RetryConfig.maxDoublings cannot be negative.'],
    [{ retryConfig: { minBackoff: { seconds: -1 } } }, 'RetryConfig.minBackoff cannot be negative.'],
    [
      { retryConfig: { minBackoff: { seconds: 2 }, maxBackoff: { seconds: 1 } } },
      'RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.',
    ],
  ])('with %j are refused', async (settings, message) => {
    const name = `${location}/queues/refused`
    await refused(
      client.createQueue({ parent: location, queue: { name, ...settings } }),
      'INVALID_ARGUMENT',
      message,
    )
    await refused(client.updateQueue({ queue: { name: queue, ...settings } }), 'INVALID_ARGUMENT', message)
  })

  test('with a wrong name are refused', async () => {
    const wrong = (name: string) => client.createQueue({ parent: location, queue: { name } })
    await refused(
      wrong(`${location}/queues/a_b`),
      'INVALID_ARGUMENT',
      /^Queue name must be formatted: "projects/,
    )
    await refused(wrong('elsewhere'), 'INVALID_ARGUMENT', 'Invalid resource field value in the request.')
  })
})
