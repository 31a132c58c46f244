import { expect, test } from 'vitest'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const both = ['a=1; Path=/', 'b=2; Path=/']

test.each([
  ['/two-cookies/set', 200, both],
  ['/two-cookies/listed', 200, both],
  ['/two-cookies/init', 200, both],
  ['/two-cookies/problem', 410, both],
  ['/two-cookies/exception', 409, both],
  ['/cookies-around/set', 200, both],
  ['/two-cookies/dropped', 410, []], // what was set for the response that is not sent
])('%s is a %i with each of its cookies', async (path, status, cookies) => {
  for (const method of ['GET', 'HEAD']) {
    const response = await lab.api(path, { method })
    expect([response.status, response.headers.getSetCookie()]).toEqual([status, cookies])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  }
})
