import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryBudget, type MemoryReservation } from '#src/runtime/http/memory-budget.ts'
import { Problem } from '#src/runtime/kernel/problem.ts'

const kib = 1024

/** Whether it could be taken. */
function takes(hold: MemoryReservation, bytes: number): boolean {
  try {
    hold.reserve(bytes)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(Problem)
    expect(error).toMatchObject({
      definition: { code: 'OVERLOADED', status: 503 },
      options: { headers: { 'Retry-After': '1' } },
    })
    return false
  }
}

test('large requests share seven eighths, small ones all', () => {
  const bytes = createMemoryBudget(800 * kib)
  const [first, second, small] = [bytes.open(), bytes.open(), bytes.open()]
  expect(takes(first, 400 * kib)).toBe(true)
  expect(takes(second, 301 * kib)).toBe(false)
  expect(takes(second, 300 * kib)).toBe(true)
  expect(takes(bytes.open(), 65 * kib)).toBe(false)
  expect(takes(small, 64 * kib)).toBe(true)
  expect(takes(bytes.open(), 36 * kib)).toBe(true)
  expect(takes(bytes.open(), 1)).toBe(false)
  expect(bytes.reservedBytes).toBe(800 * kib)
  second.release()
  expect(takes(bytes.open(), 300 * kib)).toBe(false) // the small ones stand in the way
  expect(takes(bytes.open(), 200 * kib)).toBe(true)
})

test('one that is larger than all is let in where no other large one is', () => {
  const bytes = createMemoryBudget(800 * kib)
  const giant = bytes.open()
  expect(takes(bytes.open(), 50 * kib)).toBe(true)
  expect(takes(giant, 2000 * kib)).toBe(true)
  expect(takes(giant, 2000 * kib)).toBe(true)
  expect(takes(bytes.open(), 200 * kib)).toBe(false)
})

test('whatever is taken and given back, the count is that of who still holds', () => {
  const step = fc.record({
    who: fc.nat(9),
    what: fc.constantFrom('take', 'take', 'take', 'give', 'release'),
    bytes: fc.nat(300 * kib),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bytes = createMemoryBudget(1000 * kib)
      const holds = Array.from({ length: 10 }, () => ({ hold: bytes.open(), own: 0, released: false }))
      for (const { who, what, bytes: size } of steps) {
        const one = holds[who]
        if (!one) continue
        if (what === 'take' && takes(one.hold, size)) one.own += one.released ? 0 : size
        if (what === 'give') one.hold.giveBack(size)
        if (what === 'give') one.own = Math.max(0, one.own - size)
        if (what === 'release') one.hold.release()
        if (what === 'release') Object.assign(one, { own: 0, released: true })
        expect(bytes.reservedBytes).toBe(holds.reduce((sum, { own }) => sum + own, 0))
      }
      for (const { hold } of holds) hold.release()
      expect(bytes.reservedBytes).toBe(0)
    }),
  )
})
