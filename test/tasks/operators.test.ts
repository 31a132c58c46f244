import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, expectProblem, type Json } from '#test/support/expect.ts'
import { as } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

const run = async () => {
  throw new Error('the warehouse is shut')
}
const payload = z.object({ secret: z.string() })
const work = defineTask({ name: 'trial.work', payload, retry: { attempts: 1 }, run })
const other = defineTask({ name: 'trial.other', payload, run })
const service = await trial({ tasks: [work, other] })
const { request, drain } = service
const olga = await service.as('olga', ['runtime:admin'])
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const headers = {
  ...(await as('alice')),
  'X-Request-Id': 'r1',
  traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
}

type Page = { items: Json[]; nextCursor?: string }
const list = async (query = '') => expectJson<Page>(await olga(`/runtime/tasks${query}`))
const ids: string[] = []

beforeAll(async () => {
  for (let index = 0; index < 5; index++) {
    ids.push((await request((tx) => enqueue(tx, work, { secret: 'hush' }, { key: `k${index}` }), headers)).id)
  }
  ids.push((await request((tx) => enqueue(tx, other, { secret: 'hush' }, { delay: '1h' }))).id)
  await drain()
})

test('a task shows its attempts, its last error and who enqueued it, but not its payload', async () => {
  const shown = await olga(`/runtime/tasks/${ids[0]}`)
  const task = await expectJson(shown)
  expect(task).toEqual({
    ...{ id: ids[0], name: 'trial.work', state: 'dead', key: 'k0', attempts: 1, dispatch: 1 },
    dueAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.+Z$/),
    createdAt: expect.stringMatching(/Z$/),
    startedAt: expect.stringMatching(/Z$/),
    finishedAt: expect.stringMatching(/Z$/),
    lastError: 'Error: the warehouse is shut',
    ...{ traceId, requestId: 'r1', subject: 'alice', revision: expect.any(String) },
    errors: [expect.objectContaining({ attempt: 1, error: 'Error: the warehouse is shut' })],
    steps: [],
  })
  const queued = await expectJson(await olga(`/runtime/tasks/${ids[5]}`))
  expect(queued).toMatchObject({ state: 'queued', attempts: 0 })
  for (const absent of [
    'key',
    'startedAt',
    'finishedAt',
    'leasedUntil',
    'unknownSince',
    'lastError',
    'subject',
  ])
    expect(queued).not.toHaveProperty(absent)
})

test('the list is newest first, and shows no payload either', async () => {
  const { items, nextCursor } = await list()
  expect(items.map(({ id }) => id)).toEqual(ids.toReversed())
  expect(nextCursor).toBeUndefined()
  expect(JSON.stringify(items)).not.toMatch(/payload|secret|hush/)
})

test.each([
  ['?state=dead', 5],
  ['?state=queued', 1],
  ['?state=done', 0],
  ['?name=trial.other', 1],
  ['?name=trial.work&state=dead', 5],
  ['?name=trial.work&state=queued', 0],
  ['?name=nobody.knows', 0],
])('%s lists %d', async (query, count) => {
  expect((await list(query)).items).toHaveLength(count)
})

test('pages follow one another by their cursor, under the same conditions', async () => {
  const seen: unknown[] = []
  let query = '?state=dead&limit=2'
  for (;;) {
    const { items, nextCursor } = await list(query)
    expect(items.length).toBeLessThanOrEqual(2)
    seen.push(...items.map(({ id }) => id))
    if (!nextCursor) break
    query = `?state=dead&limit=2&cursor=${nextCursor}`
  }
  expect(seen).toEqual(ids.slice(0, 5).toReversed())
})

test.each([
  'limit=0',
  'limit=101',
  'limit=ten',
  'state=sleeping',
  'state=dead&state=done',
  'name=',
  `name=${'a'.repeat(101)}`,
  'cursor=nonsense',
  'nmae=trial.work',
  'payload=1',
])('?%s is a 400', async (query) => {
  await expectProblem(await olga(`/runtime/tasks?${query}`), 400, 'VALIDATION_FAILED')
})

describe.each([
  ['GET', '/runtime/tasks'],
  ['GET', `/runtime/tasks/${randomUUID()}`],
  ['POST', `/runtime/tasks/${randomUUID()}/redrive`],
  ['POST', `/runtime/tasks/${randomUUID()}/cancel`],
  ['POST', '/runtime/tasks/redrive?name=trial.work'],
])('%s %s', (method, path) => {
  test('takes the scope runtime:admin', async () => {
    await expectProblem(await service.api(path, { method }), 401, 'TOKEN_MISSING')
    for (const scopes of [[], ['tasks'], ['tasks:read', 'orders:write']]) {
      const alice = await service.as('alice', scopes)
      await expectProblem(await alice(path, { method }), 403, 'SCOPE_MISSING')
    }
    expect(
      await service.query("select count(*)::int as dead from runtime.tasks where state = 'dead'"),
    ).toEqual([{ dead: 5 }])
  })
})

test.each(['', '/redrive', '/cancel'])(
  '/runtime/tasks/{id}%s is a 404 where there is none, and a 400 for no id',
  async (end) => {
    const method = end ? 'POST' : 'GET'
    await expectProblem(
      await olga(`/runtime/tasks/${randomUUID()}${end}`, { method }),
      404,
      'RUNTIME_TASK_NOT_FOUND',
    )
    await expectProblem(await olga(`/runtime/tasks/seven${end}`, { method }), 400, 'VALIDATION_FAILED')
  },
)
