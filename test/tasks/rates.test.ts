import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { pruneRates } from '#src/runtime/tasks/maintenance.ts'
import { askToStart } from '#src/runtime/tasks/rates.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

const mail = defineTask({
  name: 'trial.mail',
  payload: z.object({ to: z.string() }),
  rate: { tasks: 10, per: '1m', key: ({ to }) => to },
  async run({ payload: { to }, database }) {
    const { rows } = await database.execute<{ now: string }>('select runtime.service_now() as now')
    starts.push({ to, at: Date.parse(rows[0]?.now ?? '') })
  },
})

const starts: { to: string; at: number }[] = []
const service = await trial({ tasks: [mail] })
const { request, ledger, drain, database, query } = service
const to = (to: string, count: number) => Array.from({ length: count }, () => ({ to }))

beforeEach(async () => {
  starts.length = 0
  await service.clear()
})

test('no minute has more than 10 starts of a key; the others are due later, and count no attempt', async () => {
  await request((tx) => enqueueMany(tx, mail, [...to('a', 34), ...to('b', 5)]))
  await drain()
  expect(starts.filter((start) => start.to === 'a')).toHaveLength(10)
  expect(starts.filter((start) => start.to === 'b')).toHaveLength(5)
  await service.advance('30s')
  await request((tx) => enqueueMany(tx, mail, to('a', 3)))
  await drain({ until: '20m' })
  const times = starts
    .filter((start) => start.to === 'a')
    .map(({ at }) => at)
    .toSorted((a, b) => a - b)
  expect(times).toHaveLength(37)
  for (const [index, at] of times.slice(10).entries())
    expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(60_000)
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(6 * 60_000)
  expect((await ledger()).filter(({ state, attempts }) => state !== 'done' || attempts !== 1)).toEqual([])
})

test('of 50 that ask at once as many may start as the rate allows, and the others are due one after the other', async () => {
  const rate = { name: 'trial.mail', key: 'a', tasks: 10, perMs: 60_000 }
  const due = await Promise.all(Array.from({ length: 50 }, () => askToStart(database, rate)))
  expect(due.filter((at) => at === undefined)).toHaveLength(10)
  const waits = due.flatMap((at) => (at ? [at.getTime()] : [])).toSorted((a, b) => a - b)
  for (const [index, at] of waits.slice(1).entries()) expect(at - (waits[index] ?? 0)).toBe(6_000)
  const [row] = await query('select cardinality(starts) as count from runtime.rates')
  expect(row).toEqual({ count: 10 })
})

test('a rate that changes counts the starts before, and is forgotten when they no longer matter', async () => {
  const rate = { name: 'trial.mail', key: 'a', perMs: 60_000 }
  for (let n = 0; n < 3; n++) await askToStart(database, { ...rate, tasks: 3 })
  expect(await askToStart(database, { ...rate, tasks: 1 })).toBeInstanceOf(Date)
  expect(await askToStart(database, { ...rate, tasks: 4 })).toBeUndefined()
  expect(await pruneRates(database, 10)).toBe(0)
  await service.advance('10m')
  expect(await pruneRates(database, 10)).toBe(1)
})
