import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Duration, toMilliseconds } from '#src/runtime/kernel/duration.ts'
import { backoffMs } from '#src/runtime/tasks/retry.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { retryAfter } from '#src/runtime/tasks/task-errors.ts'

const fine = { name: 'trial.fine', payload: z.object({}), async run() {} }

describe('a task’s name', () => {
  test.each(['orders.fulfil', 'a.b', 'Orders.cancel-stale', 'billing.invoice.send_2'])(
    'may be %s',
    (name) => {
      expect(defineTask({ ...fine, name }).name).toBe(name)
    },
  )

  test.each([
    'orders',
    '',
    '.fulfil',
    'orders.',
    'orders..fulfil',
    '1orders.fulfil',
    'orders/a.b',
    'orders.ful fil',
    'órdenes.a',
    'tick',
    `a.${'b'.repeat(99)}`,
  ])('is not %j', (name) => {
    expect(() => defineTask({ ...fine, name })).toThrow(TypeError)
    expect(() => defineTask({ ...fine, name })).toThrow(
      `The task ${name}: its name must be its feature, a dot and a verb`,
    )
  })
})

test('eight attempts, 5 s to 10 min apart, of 4 min each, unless a task says otherwise', () => {
  expect(defineTask(fine)).toMatchObject({
    retry: { attempts: 8, minMs: 5000, maxMs: 600_000 },
    deadlineMs: 240_000,
    variables: {},
  })
  const own = defineTask({
    ...fine,
    retry: { attempts: 1, backoff: { min: '500ms', max: '1.5h' } },
    deadline: '30m',
  })
  expect(own).toMatchObject({ retry: { attempts: 1, minMs: 500, maxMs: 5_400_000 }, deadlineMs: 1_800_000 })
})

test.each([
  ['no attempts', { retry: { attempts: 0 } }, 'retry.attempts must be a whole number, 1 or more'],
  ['half an attempt', { retry: { attempts: 1.5 } }, 'retry.attempts must be a whole number, 1 or more'],
  [
    'attempts without end',
    { retry: { attempts: Number.POSITIVE_INFINITY } },
    'retry.attempts must be a whole number',
  ],
  [
    'a least wait above the longest',
    { retry: { backoff: { min: '11m' } } },
    'retry.backoff.min is above retry.backoff.max',
  ],
  ['a deadline below 15 s', { deadline: '14.999s' }, 'its deadline must be from 15s to 30m'],
  ['a deadline above 30 min', { deadline: '30.001m' }, 'its deadline must be from 15s to 30m'],
  [
    'a longest wait below the usual least one',
    { retry: { backoff: { max: '1s' } } },
    'retry.backoff.min is above retry.backoff.max (if not given, they are 5s and 10m)',
  ],
  [
    'a least wait that is no duration',
    { retry: { backoff: { min: '-5s' } } },
    'The task trial.fine: retry.backoff.min is a number and one of ms, s, m, h, d, such as 30s',
  ],
  [
    'a longest wait that PostgreSQL has no date for',
    { retry: { backoff: { max: '99999999999d' } } },
    'The task trial.fine: retry.backoff.max is a number and one of ms, s, m, h, d',
  ],
  [
    'a deadline that is no duration',
    { deadline: '5 sec' as '5s' },
    'The task trial.fine: its deadline is a number and one of ms, s, m, h, d',
  ],
] as const)('a task with %s is refused', (_what, part, words) => {
  expect(() => defineTask({ ...fine, ...part })).toThrow(TypeError)
  expect(() => defineTask({ ...fine, ...part })).toThrow(words)
})

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['0s', 0],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['30d', 2_592_000_000],
  ['3650d', 315_360_000_000],
] as const)('%s is %d milliseconds', (duration, expected) => {
  expect(toMilliseconds(duration)).toBe(expected)
})

test.each(['', '30', '30 s', 's', '-5s', '1e3s', '5 min', '1h30m', '30S', 'Infinityms', '0x1fs', '3651d'])(
  '%j is not a duration',
  (duration) => {
    expect(() => toMilliseconds(duration as Duration)).toThrow(TypeError)
    expect(() => retryAfter(duration as Duration, 'later')).toThrow(TypeError)
  },
)

describe('the wait after a failed attempt', () => {
  const task = defineTask({ ...fine, retry: { backoff: { min: '5s', max: '60s' } } })
  afterEach(() => void vi.restoreAllMocks())

  test.each([
    [1, 5000],
    [2, 10_000],
    [3, 20_000],
    [4, 40_000],
    [5, 60_000],
    [6, 60_000],
    [5000, 60_000],
  ])('number %d is %d ms at most, and half of it at least', (attempt, full) => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0)
    expect(backoffMs(task.retry, attempt)).toBe(full)
    vi.spyOn(Math, 'random').mockReturnValueOnce(1 - Number.EPSILON)
    expect(backoffMs(task.retry, attempt)).toBeCloseTo(full / 2, -1)
  })

  test('differs from task to task, so that what failed together does not come back together', () => {
    const waits = Array.from({ length: 100 }, () => backoffMs(task.retry, 3))
    expect(new Set(waits).size).toBeGreaterThan(50)
    for (const wait of waits) expect(wait >= 10_000 && wait <= 20_000).toBe(true)
  })
})
