import { describe, expect, test } from 'vitest'
import { toLogEntry } from '#test/support/monitoring/log-entry.ts'
import { parseFilter } from '#test/support/monitoring/logging-query.ts'

const entry = toLogEntry(
  JSON.stringify({
    ...{ severity: 'ERROR', time: '2026-11-29T02:00:00.000Z', message: 'GET /notes 500', route: '/notes' },
    httpRequest: { status: 500, requestMethod: 'GET', latency: '0.120000s' },
    'logging.googleapis.com/labels': { request_id: 'abc' },
    ...{ count: 3, stream: true, code: 'RUNTIME_TASK_DEAD' },
  }),
)

describe('a filter', () => {
  test.each([
    ['severity>=WARNING', true],
    ['severity>ERROR', false],
    ['severity=error', true],
    ['httpRequest.status>=500', true],
    ['httpRequest.status>500', false],
    ['httpRequest.status=500 httpRequest.requestMethod="GET"', true],
    ['labels.request_id="ABC"', true],
    ['jsonPayload.code:"task"', true],
    ['jsonPayload.message=~"^GET /notes"', true],
    ['jsonPayload.message=~"^get"', false],
    ['labels.request_id:*', true],
    ['labels.task_id:*', false],
    ['jsonPayload.stream=true', true],
    ['NOT jsonPayload.stream=true', false],
    ['jsonPayload.absent=true', false],
    ['NOT jsonPayload.absent=true', true],
    ['jsonPayload.absent>0', false],
    ['textPayload:"GET"', false],
    ['resource.labels.service_name="runway-live" AND resource.type="cloud_run_revision"', true],
    ['logName="projects/my-project/logs/run.googleapis.com%2Fstdout"', true],
    // OR binds more closely than AND: the first is (false) AND (… OR true)
    ['jsonPayload.count=4 AND jsonPayload.count=5 OR severity=ERROR', false],
    ['(jsonPayload.count=4 AND jsonPayload.count=5) OR severity=ERROR', true],
  ])('%s: %s', (filter, found) => {
    expect(parseFilter(filter)(entry)).toBe(found)
  })

  test.each([
    'severity!=ERROR',
    'jsonPayload.count<3',
    'severity>=LOUD',
    'httpRequest.status>many',
    'payload.code="A"',
    '"a word alone"',
    '(severity=ERROR',
    'severity=ERROR)',
    'severity=',
    'severity=ERROR -jsonPayload.count=3',
  ])('%s is refused: it is not known here', (filter) => {
    expect(() => parseFilter(filter)).toThrow()
  })
})

test('a line with nothing but a message has a text, and no payload', () => {
  const line = '{"severity":"INFO","time":"2026-11-29T02:00:00.000Z","message":"Stopped"}'
  expect(toLogEntry(line)).toMatchObject({ textPayload: 'Stopped' })
  expect(toLogEntry(line)).not.toHaveProperty('jsonPayload')
})
