import { afterEach, beforeEach, expect, vi } from 'vitest'

// What lands on the console was meant for nobody: a test that expects it says so by mocking it again.
const methods = ['error', 'warn'] as const

beforeEach(() => {
  for (const method of methods) vi.spyOn(console, method)
})

afterEach(() => {
  for (const method of methods) {
    const spy = vi.mocked(console[method])
    const calls = spy.mock?.calls ?? []
    vi.restoreAllMocks()
    expect(calls, `console.${method} was called`).toEqual([])
  }
})
