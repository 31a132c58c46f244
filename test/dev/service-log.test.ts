import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { tickPath } from '#dev/cloud-tasks/scheduler.ts'
import { serviceLog } from '#dev/service/log.ts'
import { createRecentLines } from '#dev/service/recent-lines.ts'

const line = (message: string, fields: object = {}) =>
  JSON.stringify({ severity: 'INFO', time: '2026-01-02T03:04:05.678Z', message, ...fields })

const started = (configuration: object) => line('Listening on port 8080', { configuration })

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const other = '00f067aa0ba902b74bf92f3577b34da6'

/** The entry of a request, as the service writes it. */
function request(method: string, path: string, status: number, fields: object = {}): string {
  const httpRequest = { requestMethod: method, requestUrl: path, status, latency: '0.056624s' }
  const ids = { 'logging.googleapis.com/trace': trace }
  return line(`${method} ${path} ${status}`, { ...ids, httpRequest, ...fields })
}

const labels = (own: object) => ({ 'logging.googleapis.com/labels': { request_id: 'r1', ...own } })
const delivery = (outcome: string, attempt = '1', status = 200) =>
  request('POST', '/runtime/callbacks/orders.fulfil', status, {
    'logging.googleapis.com/trace': other,
    ...labels({
      task: 'orders.fulfil',
      task_id: 't1',
      task_attempt: attempt,
      task_trace: trace,
      task_outcome: outcome,
    }),
  })

const shown = (...lines: string[]) => {
  const show = serviceLog(false)
  return lines.map((one) => show(one))
}

describe('requests are in columns', () => {
  test('time, method, path, status, duration', () => {
    expect(shown(request('POST', '/orders', 201), request('DELETE', '/notes/1', 204))).toEqual([
      '03:04:05.678  POST   /orders                                201        57 ms',
      '03:04:05.678  DELETE /notes/1                               204        57 ms',
    ])
  })

  test('a problem with its code and its fields', () => {
    const problem = 'VALIDATION_FAILED #/item #/quantity'
    expect(shown(request('POST', '/orders', 400, { problem }))).toEqual([
      '03:04:05.678  POST   /orders                                400        57 ms  VALIDATION_FAILED #/item #/quantity',
    ])
  })

  test('what the entry says beyond the columns, and its stack', () => {
    const entry = JSON.parse(request('GET', '/export', 200))
    entry.message += ', cut off: its stream failed'
    entry.stack_trace = 'Error: gone\n    at main.ts:1'
    expect(shown(JSON.stringify(entry))[0]).toMatch(
      /57 ms, cut off: its stream failed\nError: gone\n {4}at main/,
    )
  })

  test('a long path and a long time push the columns, and lose nothing', () => {
    const path = `/${'a'.repeat(60)}`
    const [text = ''] = shown(request('GET', path, 200).replace('0.056624s', '12.34s'))
    expect(text).toContain(`GET    ${path} 200       12.3 s`)
  })
})

describe('tasks are indented below their request', () => {
  test('an attempt with its outcome and its time', () => {
    expect(shown(request('POST', '/orders', 201), delivery('done'))[1]).toBe(
      '03:04:05.678    └ orders.fulfil attempt 1                   done       57 ms',
    )
  })

  test('it names its request, if other lines are between them', () => {
    const between = request('GET', '/ping', 200, { 'logging.googleapis.com/trace': other })
    const [, , task] = shown(request('POST', '/orders', 201), between, delivery('retrying'))
    expect(task).toBe(
      '03:04:05.678    └ orders.fulfil attempt 1                   retrying   57 ms  ← 03:04:05.678 POST /orders',
    )
  })

  test('what the task logs stands with it', () => {
    const warning = line('orders.fulfil: attempt 1 of 8 failed', {
      'logging.googleapis.com/trace': trace,
      ...labels({ task: 'orders.fulfil', task_id: 't1', task_attempt: '1' }),
      stack_trace: 'Error: shut',
    })
    const [, text] = shown(request('POST', '/orders', 201), warning)
    expect(text).toBe(
      '03:04:05.678    │ INFO     orders.fulfil: attempt 1 of 8 failed\n                │ Error: shut',
    )
  })

  test('a delivery without an outcome shows its status', () => {
    const busy = request('POST', '/runtime/callbacks/orders.fulfil', 409, {
      problem: 'RUNTIME_TASK_BUSY',
      ...labels({ task: 'orders.fulfil', task_id: 't1' }),
    })
    expect(shown(busy)[0]).toMatch(/└ orders\.fulfil +409 +57 ms {2}RUNTIME_TASK_BUSY$/)
  })
})

test('a tick is shown when it fails', () => {
  expect(shown(request('POST', tickPath, 200))).toEqual([undefined])
  for (const [method, path, status] of [
    ['POST', tickPath, 500],
    ['GET', tickPath, 200],
    ['POST', `/orders${tickPath}`, 200],
  ] as const)
    expect(shown(request(method, path, status))[0]).toContain(path)
})

test('a poll of the dashboard is shown when it fails, and when it is no browser’s', () => {
  const from = (userAgent: string, status = 200, path = '/runtime/tasks/overview') =>
    request('GET', path, status, {
      httpRequest: { requestMethod: 'GET', requestUrl: path, status, latency: '0.01s', userAgent },
    })
  expect(shown(from('Mozilla/5.0'), from('Mozilla/5.0', 200, '/runtime/tasks'))).toEqual([
    undefined,
    undefined,
  ])
  for (const one of [from('curl/8'), from('Mozilla/5.0', 503), from('Mozilla/5.0', 200, '/runtime/tasks/7')])
    expect(shown(one)[0]).toContain('GET')
})

test('the configuration is shown once, and later what of it is new', () => {
  const show = serviceLog(false)
  const first = { PORT: 8080, ALLOWED_HOSTS: ['a'] }
  const head = '03:04:05.678  INFO     Listening on port 8080'
  expect(show(started(first))).toBe(`${head}\n  PORT=8080\n  ALLOWED_HOSTS=["a"]`)
  expect(show(started(first))).toBe(head)
  expect(show(started({ ...first, NOTES_LIMIT: 100 }))).toBe(`${head}\n  NOTES_LIMIT=100`)
})

test('any other entry has its severity and its fields', () => {
  expect(shown(line('Saved', { count: 3 }))).toEqual(['03:04:05.678  INFO     Saved count=3'])
})

test('colours are added, and nothing else', () => {
  const lines = [
    ...[request('POST', '/orders', 400, { problem: 'VALIDATION_FAILED #/item' }), delivery('dead')],
    ...[line('Saved', { count: 3 }), started({ PORT: 8080 })],
  ]
  const show = serviceLog(true)
  const coloured = lines.map((one) => show(one) ?? '')
  for (const text of coloured) expect(text).toContain('\u001b[')
  expect(coloured.map((text) => stripVTControlCharacters(text))).toEqual(shown(...lines))
  expect(coloured[0]).toContain('\u001b[33mVALIDATION_FAILED\u001b[39m \u001b[36m#/item\u001b[39m')
  expect(coloured[1]).toContain('\u001b[31mdead')
})

test.each(['plain text', '{"half', '{}', '[]', '', '{"severity":7}', '{"message":"m"}', 'null'])(
  '%j is passed on as it is',
  (text) => {
    expect(serviceLog(true)(text)).toBe(text)
    expect(serviceLog(false)(text)).toBe(text)
  },
)

test.each([
  '{"severity":"INFO"}',
  '{"severity":"INFO","httpRequest":{}}',
  '{"severity":"INFO","httpRequest":7}',
])('%j, an entry with little in it, is shown', (text) => {
  expect(serviceLog(false)(text)).toContain('INFO')
})

describe('the lines of a trace', () => {
  test('are those of its request and of its tasks', () => {
    const lines = createRecentLines()
    for (const one of [
      request('POST', '/orders', 201),
      line('Another'),
      delivery('done'),
      `a line with ${trace}`,
    ])
      lines.add(one)
    const described = lines.describe(trace)
    expect(described.split('\n')).toEqual([
      expect.stringContaining('/orders'),
      expect.stringContaining('└ orders'),
      '',
    ])
    expect(lines.describe('f'.repeat(32))).toMatch(/^There is no line of the trace f+\./)
  })

  test('the oldest go first', () => {
    const lines = createRecentLines(10)
    for (let index = 0; index < 100; index++) lines.add(request('GET', `/orders/${index}`, 200))
    const described = lines.describe(trace)
    expect(described).toContain('/orders/99')
    expect(described).not.toMatch(/\/orders\/8\d/)
  })
})
