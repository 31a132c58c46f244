import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { atEnd, emulated, expectJson, expectProblem, makeDatabase, onServer, tap, testTasks } from '#test/kit'
import { type Lab, startLab } from './lab.ts'
import { createTodos } from './routes/todos.ts'

const databaseUrl = await makeDatabase()
await onServer(databaseUrl, createTodos)
const clock = manualClock()
const emulator = await createEmulator({ clock })
atEnd(() => emulator.close())
emulator.createQueue(testTasks.TASKS_QUEUE)
let started: Lab | undefined
const front = await tap(() => started && Number(new URL(started.process.url).port))
const url = `http://127.0.0.1:${front.port}`
const lab = await startLab({ ...emulated(emulator, url), DATABASE_URL: databaseUrl })
started = lab
const alice = await lab.as('alice', ['tasks:admin'])
const operator = await lab.as('olga', ['runtime:admin'])

test('a to-do service has its own tasks beside the runtime’s: table, paths, names, problems, scope', async () => {
  const headers = { 'Idempotency-Key': 'one' }
  const made = await expectJson(await alice('/tasks', { json: { title: 'Buy tea' }, headers }), 201)
  const again = await expectJson(await alice('/tasks', { json: { title: 'Buy tea' }, headers }), 201)
  expect(again).toEqual(made)
  expect(emulator.pending()).toMatchObject([{ url: `${url}/runtime/callbacks/tasks.tick` }])

  await emulator.settle()
  const path = `/tasks/${made.id}`
  expect(await expectJson(await alice(path))).toEqual({ ...made, reminded: true })
  await expectProblem(await alice(`/tasks/${randomUUID()}`), 404, 'TASK_NOT_FOUND')
  expect((await onServer(databaseUrl, 'select title from public.tasks')).rows).toEqual([{ title: 'Buy tea' }])

  const { items } = await expectJson(await operator('/runtime/tasks'))
  expect(items).toMatchObject([{ name: 'tasks.tick', state: 'done', key: 'Buy tea' }])
  const email = testTasks.TASKS_INVOKER
  expect(await emulator.tick({ url: `${url}/runtime/tick`, audience: url, email })).toBe(200)
})

test('the scope of one is not that of the other', async () => {
  await expectProblem(await alice('/runtime/tasks'), 403, 'SCOPE_MISSING')
  await expectProblem(await operator(`/tasks/${randomUUID()}`), 403, 'SCOPE_MISSING')
  const missing = await operator(`/runtime/tasks/${randomUUID()}`)
  await expectProblem(missing, 404, 'RUNTIME_TASK_NOT_FOUND')
})

interface Contract {
  paths: Record<string, { get: { operationId: string } }>
  components: { schemas: object }
}

test('the contract has both', async () => {
  const { paths, components } = await expectJson<Contract>(await lab.api('/openapi.json'))
  expect(paths['/tasks/{id}']?.get.operationId).toBe('getTask')
  expect(paths['/runtime/tasks/{id}']?.get.operationId).toBe('runtimeGetTask')
  expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['Task', 'RuntimeTask']))
})
