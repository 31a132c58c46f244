import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { captureConsole } from '#src/runtime/log/capture.ts'
import { createLogger } from '#src/runtime/log/logger.ts'

const methods = ['debug', 'log', 'info', 'warn', 'error'] as const
const { console: printer } = globalThis
const entries: Record<string, unknown>[] = []
let before: { console: Partial<Console>; listeners: NodeJS.WarningListener[] }

beforeEach(() => {
  before = {
    console: Object.fromEntries(methods.map((method) => [method, printer[method]])),
    listeners: process.listeners('warning'),
  }
  entries.length = 0
  const output = { write: (line: string) => entries.push(JSON.parse(line)) }
  captureConsole(createLogger({ level: 'debug', service: 'orders', output }))
})
afterEach(() => {
  Object.assign(printer, before.console)
  process.removeAllListeners('warning')
  for (const listener of before.listeners) process.on('warning', listener)
})

function print(method: (typeof methods)[number], ...words: unknown[]) {
  printer[method](...words)
}

test('what is printed on the console is a log entry, formatted as the console does', () => {
  for (const method of methods) print(method, '%s is %d', 'seven', 7, { a: [1, { b: { c: 1 } }] })
  expect(entries.map(({ severity }) => severity)).toEqual(['DEBUG', 'INFO', 'INFO', 'WARNING', 'ERROR'])
  for (const { message } of entries) expect(message).toBe('seven is 7 { a: [ 1, { b: [Object] } ] }')
})

test('a token that a library prints is taken out', () => {
  print(
    'log',
    'sending',
    { authorization: 'Bearer abcdefghijklmnopqrstuvwxyz' },
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi.c2ln',
  )
  expect(entries[0]?.message).toBe("sending { authorization: 'Bearer [redacted]' } [redacted]")
})

test('a warning of Node’s is a log entry, once', async () => {
  const warned = once(process, 'warning')
  process.emitWarning('This is odd', { type: 'OddWarning', code: 'ODD001' })
  await warned
  expect(entries).toEqual([
    {
      ...{ severity: 'WARNING', time: expect.any(String), message: 'This is odd' },
      ...{ warning: 'OddWarning', code: 'ODD001' },
    },
  ])
  expect(process.listenerCount('warning')).toBe(1)
})
