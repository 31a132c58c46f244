import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'

const task = defineTask({ name: 'trial.sweep', payload: z.object({ day: z.iso.date() }), async run() {} })
const fine = {
  name: 'trial.nightly',
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  task,
  payload: { day: '2026-11-23' },
}

/** The next slots after a moment. */
function slots(cron: string, timeZone: string, after: string, count = 3): (string | undefined)[] {
  const { nextAfter } = defineSchedule({ ...fine, cron, timeZone })
  const found: (Date | undefined)[] = [new Date(after)]
  for (let slot = 0; slot < count; slot++) found.push(nextAfter(found.at(-1) as Date))
  return found.slice(1).map((slot) => slot?.toISOString().replace(':00.000Z', 'Z'))
}

test.each([
  ['a name without a dot', { name: 'nightly' }, 'its name has a dot'],
  ['four fields', { cron: '30 2 * *' }, 'does not have five fields'],
  ['seconds', { cron: '0 30 2 * * *' }, 'does not have five fields'],
  ['a nickname', { cron: '@daily' }, 'does not have five fields'],
  ['a minute that does not exist', { cron: '60 2 * * *' }, 'trial.nightly'],
  ['words', { cron: 'at two in the night' }, 'trial.nightly'],
  [
    'a payload that its task does not take',
    { payload: { day: 'today' } },
    'trial.sweep does not take its payload',
  ],
])('a schedule with %s is refused', (_what, part, words) => {
  expect(() => defineSchedule({ ...fine, ...part })).toThrow(TypeError)
  expect(() => defineSchedule({ ...fine, ...part })).toThrow(words)
})

test('a day that never comes has no slot', () => {
  expect(defineSchedule({ ...fine, cron: '0 0 30 2 *' }).nextAfter(new Date())).toBeUndefined()
})

test('a time zone that does not exist is an error when its first slot is asked for', () => {
  const { nextAfter } = defineSchedule({ ...fine, timeZone: 'Europe/Bonn' })
  expect(() => nextAfter(new Date())).toThrow(TypeError)
  expect(() => nextAfter(new Date())).toThrow('Europe/Bonn')
})

test('slots follow one another; a moment between two makes no difference', () => {
  expect(slots('30 2 * * *', 'Europe/Berlin', '2026-06-01T00:30:00.000Z', 2)).toEqual([
    '2026-06-02T00:30Z',
    '2026-06-03T00:30Z',
  ])
  expect(slots('30 2 * * *', 'Europe/Berlin', '2026-06-01T00:29:59.999Z', 1)).toEqual(['2026-06-01T00:30Z'])
  expect(slots('30 2 * * *', 'Europe/Berlin', '2026-06-01T00:30:00.001Z', 1)).toEqual(['2026-06-02T00:30Z'])
  expect(slots('0 9 29 2 *', 'UTC', '2026-11-23T00:00:00Z', 1)).toEqual(['2028-02-29T09:00Z'])
})

describe('a time that spring leaves out runs once, right after the gap', () => {
  const berlin = { timeZone: 'Europe/Berlin', after: '2026-03-28T12:00:00Z' }
  const newYork = { timeZone: 'America/New_York', after: '2026-03-07T12:00:00Z' }
  const lordHowe = { timeZone: 'Australia/Lord_Howe', after: '2026-10-03T00:00:00Z' }

  test.each([
    { ...berlin, cron: '30 2 * * *', expected: ['2026-03-29T01:00Z', '2026-03-30T00:30Z'] },
    { ...berlin, cron: '0,30 2 * * *', expected: ['2026-03-29T01:00Z', '2026-03-30T00:00Z'] },
    { ...newYork, cron: '30 2 * * *', expected: ['2026-03-08T07:00Z', '2026-03-09T06:30Z'] },
    { ...lordHowe, cron: '15 2 * * *', expected: ['2026-10-03T15:30Z', '2026-10-04T15:15Z'] },
  ])('$timeZone, $cron', ({ timeZone, cron, after, expected }) => {
    expect(slots(cron, timeZone, after, 2)).toEqual(expected)
  })
})

describe('a time that autumn has twice runs once, the first time', () => {
  const berlin = { timeZone: 'Europe/Berlin', after: '2026-10-24T22:00:00Z' }
  const newYork = { timeZone: 'America/New_York', after: '2026-10-31T12:00:00Z' }
  const lordHowe = { timeZone: 'Australia/Lord_Howe', after: '2026-04-04T00:00:00Z' }

  test.each([
    { ...berlin, cron: '30 2 * * *', expected: ['2026-10-25T00:30Z', '2026-10-26T01:30Z'] },
    { ...berlin, cron: '30 2,14 * * *', expected: ['2026-10-25T00:30Z', '2026-10-25T13:30Z'] },
    { ...newYork, cron: '30 1 * * *', expected: ['2026-11-01T05:30Z', '2026-11-02T06:30Z'] },
    { ...lordHowe, cron: '45 1 * * *', expected: ['2026-04-04T14:45Z', '2026-04-05T15:15Z'] },
  ])('$timeZone, $cron', ({ timeZone, cron, after, expected }) => {
    expect(slots(cron, timeZone, after, 2)).toEqual(expected)
  })

  test.each(['2026-10-25T00:30:41Z', '2026-10-25T01:00:00Z', '2026-10-25T01:29:59Z', '2026-10-25T01:45:00Z'])(
    'and does not run again after a tick at %s',
    (tick) => {
      expect(slots('30 2 * * *', 'Europe/Berlin', tick, 1)).toEqual(['2026-10-26T01:30Z'])
    },
  )
})

test('every half hour is every half hour, also when the clocks change', () => {
  const hours = (day: string, count: number) =>
    slots('*/30 * * * *', 'Europe/Berlin', `${day}T00:00:00Z`, count)
  expect(hours('2026-10-25', 4)).toEqual(['00:30', '01:00', '01:30', '02:00'].map((t) => `2026-10-25T${t}Z`))
  expect(hours('2026-03-29', 4)).toEqual(['00:30', '01:00', '01:30', '02:00'].map((t) => `2026-03-29T${t}Z`))
})
