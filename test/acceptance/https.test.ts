import { expect } from 'vitest'
import { expectProblem } from '#test/support/expect.ts'
import { test, url } from './acceptance.ts'
import { liveSafe } from './tags.ts'

const path = '/ping?plain=1'

// Behind https the load balancer says how a request came; without one the test does.

test('answers over https ask for https for a year', liveSafe, async ({ anyone }) => {
  const headers = url.startsWith('https:') ? {} : { 'X-Forwarded-Proto': 'https' }
  const response = await anyone('/ping', { headers })
  expect(response.headers.get('strict-transport-security')).toMatch(/^max-age=31536000\b/)
})

test('a request over http is sent to the same place over https, or refused', liveSafe, async ({ anyone }) => {
  const plain = new URL(path, url)
  const headers = url.startsWith('https:') ? {} : { 'X-Forwarded-Proto': 'http' }
  if (url.startsWith('https:')) Object.assign(plain, { protocol: 'http:', port: '' })
  const response = await anyone(plain.href, { headers })
  if (response.status === 400) {
    await expectProblem(response, 400, 'HTTPS_REQUIRED') // an instance that was not told its SERVICE_URL
    return
  }
  expect([301, 302, 307, 308]).toContain(response.status)
  const target = new URL(`${response.headers.get('location')}`)
  expect(target.protocol).toBe('https:')
  expect(`${target.pathname}${target.search}`).toBe(path)
  if (url.startsWith('https:')) expect(target.hostname).toBe(plain.hostname)
})
