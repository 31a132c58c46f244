import type { Context } from 'hono'
import { expect, test } from 'vitest'
import type { BaseEnv } from '#src/runtime/http/env.ts'
import { parseJson } from '#src/runtime/http/parse-json.ts'
import { Problem } from '#src/runtime/kernel/problem.ts'

/** Parses a text, and tells which memory was reserved for it, in bytes. */
function parse(text: string, maxValues?: number) {
  const reserved: number[] = []
  const memory = { reserve: (bytes: number) => reserved.push(bytes) }
  const c = { get: () => ({ memory }) } as unknown as Context<BaseEnv>
  const { value } = parseJson(c, new TextEncoder().encode(text), maxValues)
  return { value, reserved }
}

test('the memory of the values is reserved before they are parsed', () => {
  const list = (count: number) => JSON.stringify(Array.from({ length: count - 1 }, () => 1))
  expect(parse(list(2)).reserved).toEqual([320])
  expect(parse(list(100_000)).reserved).toEqual([16_000_000])
})

test('of too many values nothing is parsed, and no memory is reserved', () => {
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
    expect(parse('[1,2,3]', 4)).toEqual({ value: [1, 2, 3], reserved: [640] })
    expect(parsed).toBe(1)
  } finally {
    JSON.parse = original
  }
})
