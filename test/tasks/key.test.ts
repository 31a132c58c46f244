import pg from 'pg'
import { beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask, type Task } from '#src/runtime/tasks/task.ts'
import { lockWaits } from '#test/support/session.ts'
import { trial } from './trial.ts'

const Text = z.object({ text: z.string() })
const run = async () => {}
const one = defineTask({ name: 'trial.one', payload: Text, run })
const other = defineTask({ name: 'trial.other', payload: Text, run })
const again: Task<typeof Text> = defineTask({
  name: 'trial.again',
  payload: Text,
  async run({ payload: { text } }) {
    return text === 'first' ? (tx) => enqueue(tx, again, { text: 'second' }, { key: 'mine' }) : undefined
  },
})

const service = await trial({ tasks: [one, other, again] })
const { request, ledger, drain, database, databaseUrl, query } = service
const key = 'order 7'

beforeEach(() => service.clear())

test('a second task with the key is not enqueued while the first is unfinished, and is told which that is', async () => {
  const first = await request((tx) => enqueue(tx, one, { text: 'a' }, { key }))
  expect(first.enqueued).toBe(true)
  for (const state of ['pending', 'queued', 'running']) {
    await query('update runtime.tasks set state = $1', [state])
    expect(await request((tx) => enqueue(tx, one, { text: 'b' }, { key }))).toEqual({
      id: first.id,
      enqueued: false,
    })
  }
  expect(await ledger()).toMatchObject([{ id: first.id, payload: { text: 'a' } }])
  expect(service.emulator.pending()).toHaveLength(1)
})

test.each(['done', 'dead', 'cancelled'])('one that is %s frees its key', async (state) => {
  const first = await request((tx) => enqueue(tx, one, { text: 'a' }, { key }))
  await query('update runtime.tasks set state = $1', [state])
  const second = await request((tx) => enqueue(tx, one, { text: 'b' }, { key }))
  expect(second).toEqual({ id: expect.not.stringMatching(first.id), enqueued: true })
})

test('a key is unique among the tasks of its name only, and no key at all is no key', async () => {
  await request(async (tx) => {
    expect(await enqueue(tx, one, { text: 'a' }, { key })).toMatchObject({ enqueued: true })
    expect(await enqueue(tx, other, { text: 'a' }, { key })).toMatchObject({ enqueued: true })
    expect(await enqueue(tx, one, { text: 'a' })).toMatchObject({ enqueued: true })
    expect(await enqueue(tx, one, { text: 'a' })).toMatchObject({ enqueued: true })
    expect(await enqueue(tx, one, { text: 'a' }, { key })).toMatchObject({ enqueued: false })
  })
  expect(await ledger()).toHaveLength(4)
})

test('of two transactions at once the second waits for the first, and takes its task for its own', async () => {
  const open = Promise.withResolvers<void>()
  const inserted = Promise.withResolvers<string>()
  const first = database.transaction(async (tx) => {
    inserted.resolve((await enqueue(tx, one, { text: 'a' }, { key })).id)
    await open.promise
  })
  const id = await inserted.promise
  const second = database.transaction((tx) => enqueue(tx, one, { text: 'b' }, { key }))
  await lockWaits(databaseUrl)
  open.resolve()
  await first
  expect(await second).toEqual({ id, enqueued: false })
  expect(await ledger()).toMatchObject([{ payload: { text: 'a' } }])
})

test('and enqueues its own where the first is rolled back', async () => {
  const open = Promise.withResolvers<void>()
  const inserted = Promise.withResolvers<void>()
  const first = database.transaction(async (tx) => {
    await enqueue(tx, one, { text: 'a' }, { key })
    inserted.resolve()
    await open.promise
    tx.rollback()
  })
  await inserted.promise
  const second = database.transaction((tx) => enqueue(tx, one, { text: 'b' }, { key }))
  await lockWaits(databaseUrl)
  open.resolve()
  await expect(first).rejects.toThrow('Rollback')
  expect(await second).toMatchObject({ enqueued: true })
  expect(await ledger()).toMatchObject([{ payload: { text: 'b' } }])
})

test('a task that finishes while another transaction enqueues its like is followed by it', async () => {
  const { id } = await request((tx) => enqueue(tx, one, { text: 'a' }, { key }))
  const open = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  const finishing = database.transaction(async (tx) => {
    await tx.execute("update runtime.tasks set state = 'done'")
    finished.resolve()
    await open.promise
  })
  await finished.promise
  const next = database.transaction((tx) => enqueue(tx, one, { text: 'b' }, { key }))
  await lockWaits(databaseUrl).then(open.resolve)
  await finishing
  expect(await next).toMatchObject({ enqueued: true })
  expect(await ledger()).toMatchObject([{ id, state: 'done' }, { payload: { text: 'b' } }])
})

test('also one that finishes between the conflict and the look at who has the key', async () => {
  await request((tx) => enqueue(tx, one, { text: 'a' }, { key }))
  const { query: ask } = pg.Client.prototype as { query: (...words: unknown[]) => unknown }
  const finish = "update runtime.tasks set state = 'done' where key is not null and state = 'queued'"
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...words: unknown[]) {
    const { text = '' } = words[0] as { text?: string }
    if (text.startsWith('select "id" from "runtime"."tasks"')) void ask.call(this, finish)
    return ask.apply(this, words)
  } as never)
  const next = await database.transaction((tx) => enqueue(tx, one, { text: 'b' }, { key }))
  vi.restoreAllMocks()
  expect(next).toMatchObject({ enqueued: true })
  expect(await ledger()).toMatchObject([{ state: 'done' }, { id: next.id, state: 'pending' }])
})

test('the effect of a task may enqueue the next one under its own key', async () => {
  await request((tx) => enqueue(tx, again, { text: 'first' }, { key: 'mine' }))
  await drain()
  expect(await ledger()).toMatchObject([
    { state: 'done', key: 'mine', payload: { text: 'first' } },
    { state: 'done', key: 'mine', payload: { text: 'second' } },
  ])
})

test('twenty requests at once with one key enqueue one task', async () => {
  const responses = await Promise.all(
    Array.from({ length: 20 }, () => database.transaction((tx) => enqueue(tx, one, { text: 'a' }, { key }))),
  )
  expect(responses.filter(({ enqueued }) => enqueued)).toHaveLength(1)
  expect(new Set(responses.map(({ id }) => id)).size).toBe(1)
})
