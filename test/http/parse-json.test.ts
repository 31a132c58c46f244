import type { Context } from 'hono'
import { expect, test } from 'vitest'
import type { BaseEnv } from '#src/runtime/http/env.ts'
import { parseJson } from '#src/runtime/http/parse-json.ts'
import { Problem } from '#src/runtime/kernel/problem.ts'

/** Parses a text in a request of which it is known what it holds of the memory. */
function parse(text: string, maxValues?: number) {
  const taken: number[] = []
  const hold = { take: (bytes: number) => taken.push(bytes) }
  const c = { get: () => ({ hold }) } as unknown as Context<BaseEnv>
  const { value } = parseJson(c, new TextEncoder().encode(text), maxValues)
  return { value, taken }
}

test('what the values take is held before they are parsed', () => {
  const list = (count: number) => JSON.stringify(Array.from({ length: count - 1 }, () => 1))
  expect(parse(list(2)).taken).toEqual([320])
  expect(parse(list(100_000)).taken).toEqual([16_000_000])
})

test('of too many nothing is parsed, and nothing is held', () => {
  let parsed = 0
  const { parse: original } = JSON
  JSON.parse = (text, reviver) => {
    parsed++
    return original(text, reviver) as unknown
  }
  try {
    expect(() => parse('[1,2,3]', 3)).toThrow(Problem)
    expect(() => parse('['.repeat(1_000_000))).toThrow(Problem)
    expect(parsed).toBe(0)
    expect(parse('[1,2,3]', 4)).toEqual({ value: [1, 2, 3], taken: [640] })
    expect(parsed).toBe(1)
  } finally {
    JSON.parse = original
  }
})
