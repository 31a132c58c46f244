import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { tickPath } from '#dev/cloud-tasks/scheduler.ts'
import { serviceLog } from '#dev/service/log.ts'

const line = (message: string, fields: object = {}) =>
  JSON.stringify({ severity: 'INFO', time: '2026-01-02T03:04:05.678Z', message, ...fields })

const started = (configuration: object) => line('Listening on port 8080', { configuration })

test('a tick is shown when it fails', () => {
  const show = serviceLog(false)
  expect(show(line(`POST ${tickPath} 200`))).toBeUndefined()
  for (const message of [`POST ${tickPath} 500`, `GET ${tickPath} 200`, `POST /orders${tickPath} 200`])
    expect(show(line(message))).toBe(line(message))
})

test('the configuration is shown once, and later what of it is new', () => {
  const show = serviceLog(false)
  const first = { PORT: 8080, ALLOWED_HOSTS: [] }
  expect(show(started(first))).toBe(started(first))
  expect(show(started(first))).toBe(started({}))
  expect(show(started({ ...first, NOTES_LIMIT: 100 }))).toBe(started({ NOTES_LIMIT: 100 }))
})

test('a person reads it in lines', () => {
  const show = serviceLog(true)
  const text = (entry: string) => stripVTControlCharacters(show(entry) ?? '')
  expect(text(started({ PORT: 8080, ALLOWED_HOSTS: ['a'] }))).toBe(
    '03:04:05.678 INFO     Listening on port 8080\n  PORT=8080\n  ALLOWED_HOSTS=["a"]',
  )
  expect(text(started({ PORT: 8080, ALLOWED_HOSTS: ['a'] }))).toBe(
    '03:04:05.678 INFO     Listening on port 8080',
  )
  const problem = 'VALIDATION_FAILED #/quantity'
  expect(text(line('POST /orders 400', { problem, httpRequest: { latency: '0.1s' } }))).toBe(
    '03:04:05.678 INFO     POST /orders 400 VALIDATION_FAILED #/quantity 0.1s',
  )
})

test.each(['plain text', '{"half', '{}', '[]', ''])('%j is passed on as it is', (text) => {
  expect(serviceLog(true)(text)).toBe(text)
  expect(serviceLog(false)(text)).toBe(text)
})
