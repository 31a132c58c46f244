import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLogger, type Log } from '#src/runtime/log/logger.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T09:30:00.125Z') }))
afterEach(() => void vi.useRealTimers())

/** A logger, and what it wrote so far. */
function logger(options: Partial<Parameters<typeof createLogger>[0]> = {}) {
  const written: string[] = []
  const output = { write: (line: string) => written.push(line), ...options.output }
  const log = createLogger({ level: 'debug', service: 'orders', revision: 'orders-7', ...options, output })
  return { log, written }
}

const levels = ['debug', 'info', 'warn', 'error', 'fatal'] as const
const severities = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']

test('a line is one JSON object with its line end', () => {
  const { log, written } = logger()
  log.info({ order: 7, nested: { a: [1] } }, 'two\nlines\r\u2028')
  expect(written).toEqual([expect.stringMatching(/^\{[^\n\r]+\}\n$/)])
  expect(JSON.parse(`${written}`)).toEqual({
    ...{ severity: 'INFO', time: '2026-11-23T09:30:00.125Z', message: 'two\nlines\r\u2028' },
    ...{ order: 7, nested: { a: [1] } },
  })
})

test('each level has Cloud Logging’s severity', () => {
  const { log, written } = logger()
  for (const level of levels) log[level]('message')
  expect(written.map((line) => JSON.parse(line).severity)).toEqual(severities)
})

test.each([
  ['debug', 5],
  ['info', 4],
  ['warn', 3],
  ['error', 2],
  ['silent', 0],
] as const)('the level %s writes %i of the five', (level, count) => {
  const { log, written } = logger({ level })
  for (const name of levels) log[name]({ a: 1 }, 'message')
  expect(written.map((line) => JSON.parse(line).severity)).toEqual(severities.slice(5 - count))
})

describe('an error among the fields', () => {
  function entryOf(err: unknown) {
    const { log, written } = logger()
    log.error({ err, code: 'INTERNAL' }, 'Failed')
    return JSON.parse(`${written}`)
  }

  test('becomes a stack trace that Error Reporting groups', () => {
    expect(entryOf(new RangeError('too far'))).toEqual({
      ...{ severity: 'ERROR', time: expect.any(String), message: 'Failed', code: 'INTERNAL' },
      stack_trace: expect.stringMatching(/^RangeError: too far\n {4}at .*logger\.test\.ts:\d+:\d+/),
      serviceContext: { service: 'orders', version: 'orders-7' },
    })
  })

  test('shows its causes below it, eight at most', () => {
    const stack = entryOf(
      new Error('outer', { cause: new TypeError('inner', { cause: 'a text' }) }),
    ).stack_trace
    const heads = (text: string) => text.split('\n').filter((line) => !line.startsWith('    at '))
    expect(heads(stack)).toEqual([
      'Error: outer',
      'Caused by: TypeError: inner',
      'Caused by: Error: a string was thrown instead of an error',
    ])
    const joined = new AggregateError([new TypeError('one'), new Error('two')], 'both', {
      cause: new Error('why'),
    })
    expect(heads(entryOf(joined).stack_trace)).toEqual([
      'AggregateError: both',
      'Caused by: Error: why',
      'Caused by: TypeError: one',
      'Caused by: Error: two',
    ])
    const circular = new Error('again')
    circular.cause = circular
    expect(heads(entryOf(circular).stack_trace)).toHaveLength(8)
  })

  test.each(['a text', 7, {}, Symbol('s'), () => {}])('may be none at all: %o', (thrown) => {
    expect(entryOf(thrown).stack_trace).toBe(`Error: a ${typeof thrown} was thrown instead of an error`)
  })
})

test('what JSON cannot hold is shown all the same', () => {
  const { log, written } = logger()
  const circular: Record<string, unknown> = { name: 'ring' }
  circular.self = circular
  log.info({ circular, big: 12n, fine: 1 }, 'odd')
  log.info({ hostile: { toJSON: () => JSON.parse('{') } }, 'odd')
  expect(written.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ circular: expect.stringContaining('[Circular *1]'), big: '12n', fine: 1 }),
    expect.objectContaining({ hostile: expect.stringContaining('toJSON') }),
  ])
})

describe('where a person reads along', () => {
  function pretty(write: (log: Log) => void) {
    const written: string[] = []
    const output = { write: (line: string) => written.push(line), isTTY: true }
    write(createLogger({ level: 'debug', service: 'orders', output }))
    return written.map(stripVTControlCharacters)
  }

  test('a line is time, severity, message and the fields worth reading', () => {
    const httpRequest = { requestMethod: 'GET', latency: '0.001000s' }
    const lines = pretty((log) => {
      log.info({ order: 7, who: { name: 'alice' } }, 'placed')
      log.warn({ httpRequest }, 'GET /nowhere 404')
      log.debug('three')
    })
    expect(lines).toEqual([
      '09:30:00.125 INFO     placed order=7 who={"name":"alice"}\n',
      '09:30:00.125 WARNING  GET /nowhere 404 0.001000s\n',
      '09:30:00.125 DEBUG    three\n',
    ])
  })

  test('an error is followed by its stack', () => {
    const [line] = pretty((log) => log.error({ err: new Error('lost') }, 'Failed'))
    expect(line).toMatch(/^09:30:00\.125 ERROR {4}Failed\nError: lost\n {4}at .+\n$/s)
    expect(line).not.toContain('serviceContext')
  })

  test('secrets are taken out there, too', () => {
    const [line] = pretty((log) => log.info({ password: 'hunter2' }, 'to postgres://app:hunter2@db/orders'))
    expect(line).toBe('09:30:00.125 INFO     to postgres://app:[redacted]@db/orders password="[redacted]"\n')
  })

  test('each severity has a colour', () => {
    const colours = new Set<string | undefined>()
    const output = {
      write: (line: string) => colours.add(/\[(\d+)m[A-Z]/.exec(line)?.[1]),
      isTTY: true,
    }
    const log = createLogger({ level: 'debug', service: 'orders', output })
    for (const level of levels) log[level]('message')
    expect(colours.size).toBe(5)
    expect(colours).not.toContain(undefined)
  })
})
