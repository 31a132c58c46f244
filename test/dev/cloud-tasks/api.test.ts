import { describe, expect, test } from 'vitest'
import { location, noQueue, queue, refused, type TaskResource, testEmulator } from '#test/support/emulator.ts'

const { emulator, client, create } = await testEmulator()
const url = 'http://127.0.0.1:1/work'
const unknown = `${location}/queues/unknown`

describe('tasks', () => {
  test('come back as they were made, the body in the FULL view only', async () => {
    const seconds = Math.floor(emulator.now() / 1000) + 60
    const httpRequest = {
      ...{ url, httpMethod: 'PUT' as const, headers: { a: 'b' }, body: Buffer.from([0, 255]) },
      oidcToken: { serviceAccountEmail: 'invoker@test', audience: 'me' },
    }
    const task = { name: `${queue}/tasks/whole`, scheduleTime: { seconds }, httpRequest }
    const [basic] = await client.createTask({
      parent: queue,
      task: { ...task, dispatchDeadline: { seconds: 15 } },
    })
    const { body, headers, ...rest } = httpRequest
    expect(basic).toMatchObject({
      ...{ name: task.name, view: 'BASIC', dispatchCount: 0, responseCount: 0, firstAttempt: null },
      ...{ scheduleTime: { seconds: `${seconds}`, nanos: 0 }, dispatchDeadline: { seconds: '15', nanos: 0 } },
      httpRequest: { ...rest, headers: { ...headers, 'User-Agent': 'Google-Cloud-Tasks' } },
    })
    expect(basic.createTime).toBeTruthy()
    expect(basic.httpRequest?.body).toHaveLength(0)
    const [full] = await client.getTask({ name: task.name, responseView: 'FULL' })
    expect(full).toMatchObject({ view: 'FULL', httpRequest: { body } })
    const [listed] = await client.listTasks({ parent: queue, responseView: 'FULL' })
    expect(listed).toMatchObject([{ name: task.name, httpRequest: { body } }])
    expect(emulator.pending()).toMatchObject([{ queue, task: 'whole', url, scheduleTime: seconds * 1000 }])
    await client.deleteTask({ name: task.name })
    expect((await client.listTasks({ parent: queue }))[0]).toEqual([])
  })

  test('get a name, ten minutes and the present if they have none', async () => {
    const [task] = await client.createTask({
      parent: queue,
      task: { httpRequest: { url }, scheduleTime: { seconds: 1 } },
    })
    expect(task.name).toMatch(/^projects\/test\/locations\/here\/queues\/default\/tasks\/\w{20}$/)
    expect(task).toMatchObject({ dispatchDeadline: { seconds: '600' }, httpRequest: { httpMethod: 'POST' } })
    expect(Number(task.scheduleTime?.seconds)).toBe(Math.floor(emulator.now() / 1000))
  })

  test('keep their name for an hour after their end', async () => {
    const again = () => create(url, { name: `${queue}/tasks/taken` })
    const name = `${queue}/tasks/taken`
    await again()
    await refused(again(), 'ALREADY_EXISTS', 'Requested entity already exists')
    await client.deleteTask({ name })
    emulator.advance(3_599_000)
    await refused(again(), 'ALREADY_EXISTS', 'Requested entity already exists')
    await refused(
      client.getTask({ name }),
      'NOT_FOUND',
      /^The task no longer exists, though a task with this name existed/,
    )
    emulator.advance(1_000)
    expect(await again()).toBe('taken')
  })

  test('that are unknown are not found, nor is anything of an unknown queue', async () => {
    const name = `${queue}/tasks/unknown`
    for (const method of ['getTask', 'deleteTask', 'runTask'] as const) {
      await refused(client[method]({ name }), 'NOT_FOUND', 'Requested entity was not found.')
      await refused(client[method]({ name: `${unknown}/tasks/x` }), 'NOT_FOUND', noQueue)
    }
    await refused(
      client.createTask({ parent: unknown, task: { httpRequest: { url } } }),
      'NOT_FOUND',
      noQueue,
    )
    await refused(client.listTasks({ parent: unknown }), 'NOT_FOUND', noQueue)
  })

  const deadline = 'Task.dispatchDeadline must be between [15s, 30m].'
  const secure =
    "HttpRequest.url must start with 'https://' for request with HttpRequest.authorization_header"
  const scheme = "HttpTarget.url must start with 'http://' or 'https://'."
  const oidcToken = { serviceAccountEmail: 'invoker@test' }
  const id =
    /^Task ID "(a b|x{501})" can contain only letters \(\[A-Za-z\]\), numbers .* between 1 and 500 characters\.$/
  const cases: [string, TaskResource, string | RegExp][] = [
    ['no URL', { httpRequest: { url: '' } }, 'HttpRequest.url is required.'],
    ['another scheme', { httpRequest: { url: 'ftp://a' } }, scheme],
    ['a URL too long', { httpRequest: { url: `${url}/${'x'.repeat(2083)}` } }, /2083/],
    ['a deadline too short', { dispatchDeadline: { seconds: 14 } }, deadline],
    ['a deadline too long', { dispatchDeadline: { seconds: 1801 } }, deadline],
    ['a token over plain http', { httpRequest: { url: 'http://example.com', oidcToken } }, secure],
    ['headers of 80 KB', { httpRequest: { url, headers: { a: 'x'.repeat(80 * 1024) } } }, /80KB/],
    [
      'a body with GET',
      { httpRequest: { url, httpMethod: 'GET', body: Buffer.from('x') } },
      /body is not allowed/,
    ],
    ['more than 1 MiB', { httpRequest: { url, body: Buffer.alloc(1_048_569) } }, 'Task size too large'],
    ['a space in the id', { name: `${queue}/tasks/a b` }, id],
    ['an id of 501', { name: `${queue}/tasks/${'x'.repeat(501)}` }, id],
    ['no name', { name: 'x' }, /^Task name must be formatted: "projects\/<PROJECT_ID>/],
    [
      'another queue',
      { name: `${unknown}/tasks/x` },
      `The queue name from request ('${queue}') must be the same as the queue name in the named task ('${unknown}').`,
    ],
  ]
  test.each(cases)('with %s are refused', async (_, task, message) => {
    await refused(create(url, task), 'INVALID_ARGUMENT', message)
  })

  test('may be 720 hours ahead, and no further', async () => {
    const seconds = Math.floor(emulator.now() / 1000) + 720 * 3600
    await create(url, { scheduleTime: { seconds } })
    await refused(
      create(url, { scheduleTime: { seconds: seconds + 1 } }),
      'INVALID_ARGUMENT',
      /^The Task\.scheduleTime, .*Z, is too far in the future\. Schedule time must be no more than 720h in the future\.$/,
    )
  })

  test('may carry a token to this machine over plain http, and a megabyte', async () => {
    for (const host of ['localhost:1', '127.0.0.2', '[::1]:1'])
      await create(`http://${host}/`, { httpRequest: { oidcToken } })
    await create('https://example.com/', { httpRequest: { oidcToken, body: Buffer.alloc(1_048_000) } })
    await client.purgeQueue({ name: queue })
  })
})

test('what is not imitated says so', async () => {
  await refused(client.getIamPolicy({ resource: queue }), 'UNIMPLEMENTED', /is not imitated/)
  const appEngine = { parent: queue, task: { appEngineHttpRequest: { relativeUri: '/' } } }
  await refused(client.createTask(appEngine), 'UNIMPLEMENTED', /^Only tasks with an httpRequest/)
})

test('a body that is no JSON gets Google’s 400', async () => {
  const response = await fetch(`${emulator.url}/v2/${queue}/tasks`, { method: 'POST', body: '{' })
  const error = { code: 400, message: 'Invalid JSON payload received.', status: 'INVALID_ARGUMENT' }
  expect([response.status, await response.json()]).toEqual([400, { error }])
})
