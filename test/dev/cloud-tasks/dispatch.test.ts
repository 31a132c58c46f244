import { afterEach, describe, expect, test } from 'vitest'
import { queue, startTarget, taskHeaders, testEmulator } from '#test/support/emulator.ts'

const target = await startTarget()
const { emulator, client, create, lines } = await testEmulator()

afterEach(async () => {
  await client.purgeQueue({ name: queue })
  target.received.length = 0
  target.answers = []
})

/** Settles again and again, with so much time between. */
async function attempts(count: number, gap = 60_000) {
  const made = []
  for (let round = 0; round < count; round++) {
    made.push(...(await emulator.settle()))
    emulator.advance(gap)
  }
  return made
}

describe('a delivery', () => {
  test('is the request that the task says, from Google-Cloud-Tasks', async () => {
    const body = Buffer.from('{"id":"ä"}')
    const headers = { 'Content-Type': 'application/json', 'X-Mixed-Case': 'kept' }
    await create(`${target.url}?q=1`, { httpRequest: { httpMethod: 'PUT', body, headers } })
    await emulator.settle()
    expect(target.received).toMatchObject([
      {
        ...{ method: 'PUT', path: '/work?q=1', body: '{"id":"ä"}' },
        headers: { 'user-agent': 'Google-Cloud-Tasks', 'content-type': 'application/json' },
      },
    ])
    expect(target.received[0]?.rawHeaders).toContain('X-Mixed-Case')
  })

  test('is a POST without a Content-Type unless the task says otherwise', async () => {
    await create(target.url)
    await emulator.settle()
    expect(target.received[0]?.method).toBe('POST')
    expect(target.received[0]?.headers).not.toHaveProperty('content-type')
  })

  test('has no header in the task’s name that is for Google to set', async () => {
    const own = { 'user-agent': 'me', Host: 'else', 'x-cloudtasks-taskname': 'x', 'X-Google-A': '1' }
    const id = await create(target.url, { httpRequest: { headers: own } })
    await emulator.settle()
    expect(target.received[0]?.headers).toMatchObject({
      ...{ 'user-agent': 'Google-Cloud-Tasks', host: new URL(target.url).host, 'x-cloudtasks-taskname': id },
    })
    expect(target.received[0]?.headers).not.toHaveProperty('x-google-a')
  })
})

describe('the headers of an attempt', () => {
  test('count failures, and apart those that were no 5xx; retries say what came before', async () => {
    target.answers = [503, 404, 429, 500]
    const id = await create(target.url)
    await attempts(5)
    const [first, ...retries] = target.received.map(taskHeaders)
    const common = { QueueName: 'default', TaskName: id, TaskETA: expect.stringMatching(/^\d{10}\.\d{6}$/) }
    expect(first).toEqual({ ...common, TaskRetryCount: '0', TaskExecutionCount: '0' })
    const retry = { ...common, TaskRetryReason: '' }
    expect(retries).toEqual([
      { ...retry, TaskRetryCount: '1', TaskExecutionCount: '0', TaskPreviousResponse: '503' },
      { ...retry, TaskRetryCount: '2', TaskExecutionCount: '1', TaskPreviousResponse: '404' },
      { ...retry, TaskRetryCount: '3', TaskExecutionCount: '2', TaskPreviousResponse: '429' },
      { ...retry, TaskRetryCount: '4', TaskExecutionCount: '2', TaskPreviousResponse: '500' },
    ])
  })

  test('the ETA is the time that the attempt was scheduled for', async () => {
    const seconds = Math.floor(emulator.now() / 1000) + 90
    await create(target.url, { scheduleTime: { seconds, nanos: 250_000_000 } })
    expect(await emulator.settle()).toEqual([])
    emulator.advance(3_600_000)
    await emulator.settle()
    expect(target.received.map(taskHeaders)).toMatchObject([{ TaskETA: `${seconds}.250000` }])
  })

  test('a timeout and a connection without a response show as 504, and not as executions', async () => {
    target.answers = [() => {}, (request) => request.socket.destroy()]
    await create(target.url, { dispatchDeadline: { seconds: 15 } })
    const settled = emulator.settle()
    await expect.poll(() => target.received.length).toBe(1)
    emulator.advance(14_000)
    emulator.advance(1_000)
    expect(await settled).toMatchObject([{ status: 504, outcome: 'retried', attempt: 1 }])
    expect(lines.at(-1)).toContain('no response in 15 s')
    await attempts(3)
    const without = { TaskPreviousResponse: '504', TaskExecutionCount: '0', TaskRetryReason: '' }
    expect(target.received.slice(1).map(taskHeaders)).toMatchObject([
      { ...without, TaskRetryCount: '1' },
      { ...without, TaskRetryCount: '2' },
    ])
  })
})

describe('success', () => {
  test.each([200, 201, 204, 299])('%i ends the task', async (status) => {
    target.answers = [status]
    await create(target.url)
    expect(await emulator.settle()).toMatchObject([{ status, outcome: 'done' }])
    expect(emulator.pending()).toEqual([])
  })

  test.each([302, 304, 400, 401, 404, 409, 503])('%i is retried', async (status) => {
    target.answers = [status]
    await create(target.url)
    expect(await attempts(2)).toMatchObject([
      { status, outcome: 'retried' },
      { status: 200, attempt: 2 },
    ])
  })

  test('a redirect is not followed', async () => {
    const elsewhere = new URL('/elsewhere', target.url).href
    target.answers = [(_, response) => response.writeHead(307, { Location: elsewhere }).end()]
    await create(target.url)
    await attempts(2)
    expect(target.received.map(({ path }) => path)).toEqual(['/work', '/work'])
  })

  test('a target that nobody listens at is tried again', async () => {
    await create('http://127.0.0.1:1/')
    expect(await emulator.settle()).toMatchObject([{ status: 504, outcome: 'retried' }])
    expect(lines.at(-1)).toMatch(/ECONNREFUSED in \d+ ms, retry in 0\.1 s$/)
  })
})

test('a header that cannot be sent costs the task its attempts, and nothing else', async () => {
  await create(target.url, { httpRequest: { headers: { 'not a name': 'x' } } })
  expect(await emulator.settle()).toMatchObject([{ status: 504, outcome: 'retried' }])
  expect(lines.at(-1)).toContain('ERR_INVALID_HTTP_TOKEN')
})

test('each attempt is one readable line', async () => {
  target.answers = [503]
  const id = await create(target.url)
  lines.length = 0
  await attempts(2)
  expect(lines).toEqual([
    expect.stringMatching(`^default/${id} attempt 1: POST ${target.url} 503 in \\d+ ms, retry in 0.1 s$`),
    expect.stringMatching(`^default/${id} attempt 2: POST ${target.url} 200 in \\d+ ms, done$`),
  ])
})

test('an unfinished task counts its attempts, and those that had a response', async () => {
  target.answers = [503, (request) => request.socket.destroy()]
  const id = await create(target.url)
  await attempts(2)
  const [task] = await client.getTask({ name: `${queue}/tasks/${id}` })
  expect(task).toMatchObject({ dispatchCount: 2, responseCount: 1 })
})

describe('RunTask', () => {
  test('dispatches at once, in place of the planned dispatch', async () => {
    const seconds = Math.floor(emulator.now() / 1000) + 36_000
    const id = await create(target.url, { scheduleTime: { seconds } })
    expect(await emulator.settle()).toEqual([])
    const [task] = await client.runTask({ name: `${queue}/tasks/${id}` })
    expect(task).toMatchObject({ dispatchCount: 1 })
    await emulator.settle()
    emulator.advance(36_000_000)
    await emulator.settle()
    expect(target.received).toHaveLength(1)
  })

  test('ignores that the queue is paused, whose retry then waits', async () => {
    target.answers = [500]
    const id = await create(target.url)
    await client.pauseQueue({ name: queue })
    await client.runTask({ name: `${queue}/tasks/${id}` })
    await attempts(2)
    expect(target.received).toHaveLength(1)
    await client.resumeQueue({ name: queue })
    await attempts(1)
    expect(target.received).toHaveLength(2)
  })
})

test('a paused queue holds its tasks, a resumed one sends each once', async () => {
  await client.pauseQueue({ name: queue })
  await create(target.url)
  await create(target.url)
  expect(await attempts(3, 86_400_000)).toEqual([])
  expect(emulator.pending(queue)).toHaveLength(2)
  await client.resumeQueue({ name: queue })
  expect(await attempts(3)).toHaveLength(2)
})

test('a task that is deleted while it runs is not tried again', async () => {
  target.answers = [() => {}]
  const id = await create(target.url)
  const settled = emulator.settle()
  await expect.poll(() => target.received.length).toBe(1)
  await client.deleteTask({ name: `${queue}/tasks/${id}` })
  emulator.advance(600_000)
  expect(await settled).toMatchObject([{ outcome: 'gone' }])
  expect(await attempts(2)).toEqual([])
})
