import { expect, test } from 'vitest'
import { createCloudTasks } from '#src/runtime/tasks/cloud-tasks.ts'
import { queue, testEmulator } from '#test/support/emulator.ts'

const { emulator, client: official } = await testEmulator()
const { host } = new URL(emulator.url)
const options = {
  invoker: 'tasks@test.iam.gserviceaccount.com',
  audience: 'https://orders.example',
  ...{ emulator: host, metadataHost: 'nobody.invalid' },
}
const client = createCloudTasks({ ...options, queue })
const { signal } = new AbortController()
const request = (id: string) => ({
  ...{ id, url: 'https://orders.example/runtime/callbacks/orders.fulfil', body: '{"id":"7","dispatch":1}' },
  deadlineMs: 45_000,
})
const get = async (id: string) =>
  (await official.getTask({ name: `${queue}/tasks/${id}`, responseView: 'FULL' }))[0]

test('a task is created as it is asked for', async () => {
  const at = new Date(emulator.now() + 3_600_123)
  await client.create({ ...request('whole'), scheduleTime: at }, signal)
  const task = await get('whole')
  expect(task).toMatchObject({
    dispatchDeadline: { seconds: '45' },
    httpRequest: {
      url: 'https://orders.example/runtime/callbacks/orders.fulfil',
      headers: { 'Content-Type': 'application/json' },
      oidcToken: { serviceAccountEmail: options.invoker, audience: options.audience },
    },
  })
  expect(Buffer.from(task.httpRequest?.body as Uint8Array).toString()).toBe('{"id":"7","dispatch":1}')
  const { seconds, nanos } = task.scheduleTime ?? {}
  expect(Number(seconds) * 1000 + Number(nanos) / 1_000_000).toBe(at.getTime())
})

test('one that is there already, or was, is created as well as it can be', async () => {
  await client.create(request('twice'), signal)
  await client.create(request('twice'), signal)
  await official.deleteTask({ name: `${queue}/tasks/twice` })
  await client.create(request('twice'), signal)
  expect(emulator.pending().filter(({ task }) => task === 'twice')).toEqual([])
})

test('whether the queue has a task is asked by its name', async () => {
  await client.create(request('held'), signal)
  expect(await client.has('held', signal)).toBe(true)
  expect(await client.has('never-made', signal)).toBe(false)
})

test('any other answer is thrown', async () => {
  emulator.faults.set({ createUnavailable: { times: 1 } })
  await expect(client.create(request('refused'), signal)).rejects.toMatchObject({
    message: 'Cloud Tasks responded with 503: The service is currently unavailable.',
    status: 'UNAVAILABLE',
  })
  await client.create(request('refused'), signal)
  const elsewhere = createCloudTasks({ ...options, queue: `${queue}-that-is-not-there` })
  await expect(elsewhere.create(request('nowhere'), signal)).rejects.toMatchObject({ status: 'NOT_FOUND' })
})

test('a call that hangs is given up by its signal', async () => {
  emulator.faults.set({ createTimesOut: { times: 1 } })
  const controller = new AbortController()
  const hanging = client.create(request('hangs'), controller.signal)
  await expect.poll(() => emulator.pending().some(({ task }) => task === 'hangs')).toBe(true)
  controller.abort()
  await expect(hanging).rejects.toThrow()
  await client.create(request('hangs'), signal)
})

test('one whose signal has aborted before is not sent', async () => {
  await expect(client.create(request('late'), AbortSignal.abort())).rejects.toThrow()
  expect(await client.has('late', signal)).toBe(false)
})
