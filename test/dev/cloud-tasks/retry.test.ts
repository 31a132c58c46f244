import { expect, test } from 'vitest'
import { backoff, isExhausted } from '#dev/cloud-tasks/retry.ts'

const series = (count: number, minBackoff: number, maxBackoff: number, maxDoublings: number) =>
  Array.from({ length: count }, (_, index) => backoff(index + 1, { minBackoff, maxBackoff, maxDoublings }))

test('the wait doubles, then grows linearly, up to its maximum', () => {
  expect(series(8, 10, 300, 3)).toEqual([10, 20, 40, 80, 160, 240, 300, 300])
})

test('without doublings it grows linearly from the start', () => {
  expect(series(4, 10, 35, 0)).toEqual([10, 20, 30, 35])
})

test('Google’s defaults reach an hour and stay there', () => {
  expect(series(17, 100, 3_600_000, 16).slice(14)).toEqual([1_638_400, 3_276_800, 3_600_000])
  expect(backoff(5000, { minBackoff: 100, maxBackoff: 3_600_000, maxDoublings: 16 })).toBe(3_600_000)
})

test('a task is given up when it has reached both limits, or the only one', () => {
  const limits = (maxAttempts: number, maxRetryDuration: number) => ({
    ...{ maxAttempts, maxRetryDuration, minBackoff: 1, maxBackoff: 1, maxDoublings: 1 },
  })
  const both = limits(3, 1000)
  expect(isExhausted(3, 999, both)).toBe(false)
  expect(isExhausted(2, 5000, both)).toBe(false)
  expect(isExhausted(3, 1000, both)).toBe(true)
  expect([2, 3].map((attempts) => isExhausted(attempts, 0, limits(3, 0)))).toEqual([false, true])
  expect([999, 1000].map((age) => isExhausted(1, age, limits(-1, 1000)))).toEqual([false, true])
  expect(isExhausted(1e6, 1e9, limits(-1, 0))).toBe(false)
})
