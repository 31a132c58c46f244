import { sql } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask, type Task } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

const ran: unknown[] = []
const note = defineTask({
  name: 'trial.note',
  payload: z.object({ text: z.string(), when: z.iso.datetime().optional() }),
  async run({ payload }) {
    ran.push(payload)
  },
})
const dated = defineTask({
  name: 'trial.dated',
  payload: z.object({ at: z.unknown().refine((at) => at instanceof Date) }),
  async run() {},
})
const Left = z.object({ left: z.int() })
const chain: Task<typeof Left> = defineTask({
  name: 'trial.chain',
  payload: Left,
  async run({ payload: { left } }) {
    return left > 0 ? (tx) => enqueue(tx, chain, { left: left - 1 }) : undefined
  },
})

const service = await trial({ tasks: [note, dated, chain] })
const { request, ledger, drain, emulator, database } = service

beforeEach(async () => {
  await service.clear()
  ran.length = 0
})

test('what is enqueued is handed over before the answer, and runs once with its payload', async () => {
  const { id, enqueued } = await request((tx) => enqueue(tx, note, { text: 'tea' }))
  expect(enqueued).toBe(true)
  expect(await ledger()).toMatchObject([{ id, state: 'queued', dispatch: 1, payload: { text: 'tea' } }])
  expect(emulator.pending()).toMatchObject([{ body: JSON.stringify({ id, dispatch: 1 }) }])
  await drain()
  expect(await ledger()).toMatchObject([{ id, state: 'done', attempts: 1 }])
  expect(ran).toEqual([{ text: 'tea' }])
})

test('with a delay it runs no sooner', async () => {
  await request((tx) => enqueue(tx, note, { text: 'later' }, { delay: '10m' }))
  expect(await ledger()).toMatchObject([{ state: 'queued' }])
  await drain({ until: '9m' })
  expect(ran).toEqual([])
  await drain({ until: '10m' })
  expect(ran).toEqual([{ text: 'later' }])
})

test('at a moment it runs then, and at one that has passed at once', async () => {
  const at = new Date(emulator.now() + 3_600_000)
  await request((tx) => enqueue(tx, note, { text: 'in an hour' }, { at }))
  await request((tx) => enqueue(tx, note, { text: 'now' }, { at: new Date(0), delay: '5h' }))
  expect(await ledger()).toMatchObject([{ due_at: at }, { due_at: new Date(0) }])
  await drain()
  expect(ran).toEqual([{ text: 'now' }])
  await drain({ until: '1h' })
  expect(ran).toEqual([{ text: 'now' }, { text: 'in an hour' }])
})

test('what is more than 29 days ahead stays pending until it is near', async () => {
  const at = new Date(emulator.now() + 40 * 86_400_000)
  await request((tx) => enqueue(tx, note, { text: 'far' }, { at }))
  await service.advance('1h')
  await service.tick()
  expect(await ledger()).toMatchObject([{ state: 'pending' }])
  expect(emulator.pending()).toEqual([])
  expect(
    service.lines.filter(({ severity }) => severity === 'WARNING'),
    'nobody has tried',
  ).toEqual([])
  await service.advance('10d')
  await service.tick()
  expect(await ledger(), 'less than 30 days ahead, but more than 29').toMatchObject([{ state: 'pending' }])
  await service.advance('1d')
  await service.tick()
  expect(await ledger()).toMatchObject([{ state: 'queued', dispatch: 1 }])
  expect(emulator.pending()).toMatchObject([{ scheduleTime: at.getTime() }])
  await service.advance('28d')
  await drain()
  expect(ran).toEqual([])
  await drain({ until: '1d' })
  expect(ran).toEqual([{ text: 'far' }])
})

test('a transaction that fails enqueues nothing and sends nothing', async () => {
  const failing = request(async (tx) => {
    await enqueue(tx, note, { text: 'never' })
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('INTERNAL')
  expect(await ledger()).toEqual([])
  expect(emulator.pending()).toEqual([])
})

test('a nested transaction that is rolled back enqueues nothing and sends nothing; the outer one does', async () => {
  await request(async (tx) => {
    await enqueue(tx, note, { text: 'outer' })
    await tx
      .transaction(async (inner) => {
        await enqueue(inner, note, { text: 'inner' })
        throw new Error('not this')
      })
      .catch(() => {})
    await tx.transaction(async (inner) => {
      await enqueue(inner, note, { text: 'second' })
      const third = inner.transaction(async (innermost) => {
        await enqueue(innermost, note, { text: 'third' })
        innermost.rollback()
      })
      await expect(third).rejects.toThrow('Rollback')
    })
  })
  const rows = await ledger()
  expect(rows.map(({ payload }) => payload.text).toSorted()).toEqual(['outer', 'second'])
  const sent = emulator.pending().map(({ body }) => JSON.parse(body).id)
  expect(sent.toSorted()).toEqual(rows.map(({ id }) => id).toSorted())
})

test('a payload of the wrong shape is refused where it is enqueued, and nothing is written', async () => {
  const wrong = [{ text: 7 }, {}, null, undefined, { text: 'x', when: 'at noon' }] as unknown as {
    text: string
  }[]
  for (const payload of wrong) {
    await database.transaction((tx) => expect(enqueue(tx, note, payload)).rejects.toBeInstanceOf(z.ZodError))
  }
  expect(await ledger()).toEqual([])
})

test('so is one that JSON changes: a Date comes out of it as a text', async () => {
  await database.transaction((tx) =>
    expect(enqueue(tx, dated, { at: new Date() })).rejects.toBeInstanceOf(z.ZodError),
  )
})

test.each([
  ['a delay that is none', { delay: '5 sec' as '5s' }, 'its delay is a number and one of ms, s, m, h, d'],
  ['a negative delay', { delay: '-5s' }, 'its delay is a number and one of ms, s, m, h, d'],
  ['an empty delay', { delay: '' as '5s' }, 'its delay is a number and one of ms, s, m, h, d'],
  ['a delay of eleven years', { delay: '4015d' }, 'such as 30s, and at most 3650d: not "4015d"'],
  ['a moment that is none', { at: new Date('soon') }, 'its `at` must be a time from 1970 to 9999'],
  ['a moment that PostgreSQL cannot read', { at: new Date(8.64e15) }, 'its `at` must be a time'],
  ['a key that no index holds', { key: 'k'.repeat(1001) }, 'its key must be text of at most 1,000 bytes'],
  ['a key with NUL', { key: 'a\0' }, 'its key must be text of at most 1,000 bytes, without NUL'],
] as const)('%s is refused by its task’s name, and nothing is written', async (_what, options, words) => {
  await request(async (tx) => {
    const enqueued = enqueue(tx, note, { text: 'never' }, options)
    await expect(enqueued).rejects.toThrow(TypeError)
    await expect(enqueued).rejects.toThrow('The task trial.note: its ')
    await expect(enqueued).rejects.toThrow(words)
  })
  expect(await ledger()).toEqual([])
})

test('a key of 1,000 bytes is held', async () => {
  const key = 'ä'.repeat(500)
  expect(await request((tx) => enqueue(tx, note, { text: 'a' }, { key }))).toMatchObject({ enqueued: true })
  expect(await request((tx) => enqueue(tx, note, { text: 'b' }, { key }))).toMatchObject({ enqueued: false })
})

test('outside any request the row is written, and the tick sends it', async () => {
  const { id } = await database.transaction((tx) => enqueue(tx, note, { text: 'by a script' }))
  expect(await ledger()).toMatchObject([{ id, state: 'pending', request_id: null, trace_id: null }])
  expect(emulator.pending()).toEqual([])
  await service.advance('29s')
  await service.tick()
  expect(await ledger()).toMatchObject([{ state: 'pending' }])
  await service.advance('2s')
  await service.tick()
  expect(await ledger()).toMatchObject([{ state: 'queued' }])
  await drain()
  expect(ran).toEqual([{ text: 'by a script' }])
})

test('an effect may enqueue the next task, which is handed over before the callback is answered', async () => {
  await request((tx) => enqueue(tx, chain, { left: 2 }))
  const attempts = await drain()
  expect(attempts).toHaveLength(3)
  expect((await ledger()).map(({ state, payload }) => [state, payload.left])).toEqual([
    ['done', 2],
    ['done', 1],
    ['done', 0],
  ])
})

test('of more than 20 in a request, the first 20 are sent in their order, and the rest is the tick’s', async () => {
  const ids: string[] = []
  await request(async (tx) => {
    for (let index = 0; index < 25; index++) ids.push((await enqueue(tx, note, { text: String(index) })).id)
  })
  const rows = await ledger()
  const states = ids.map((id) => rows.find((row) => row.id === id)?.state)
  expect(states).toEqual([...Array(20).fill('queued'), ...Array(5).fill('pending')])
  await drain({ until: '1m' })
  expect(ran).toHaveLength(25)
  expect(new Set((await ledger()).map(({ state }) => state))).toEqual(new Set(['done']))
})

test('a transaction whose failed statement was caught commits nothing, and sends nothing', async () => {
  const caught = request(async (tx) => {
    await enqueue(tx, note, { text: 'never' })
    await tx.execute(sql`select 1 / 0`).catch(() => {})
  })
  await expect(caught).rejects.toThrow('INTERNAL')
  expect(await ledger()).toEqual([])
  expect(emulator.pending()).toEqual([])
})
