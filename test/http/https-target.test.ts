import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

const owned = ['orders.example.com', 'orders.example.org']
const environment = { SERVICE_URL: `https://${owned[0]}`, ALLOWED_HOSTS: owned.join() }
const { dial } = await testServer({ databaseUrl: noDatabase, environment })

/** Asks for a target in its own bytes, over plain http. */
async function ask(target: string, headers: Record<string, string> = {}, method = 'GET') {
  const all = { Host: 'a', 'X-Forwarded-Proto': 'http', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return dial()
    .send(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
    .answer()
}

test.each([
  '/',
  '/?',
  '/notes/?a=1&a=2&b',
  '/a/../b/./c//d',
  '/%2e%2e/%2F%5c%00%zz%',
  '/a?next=https://evil.example/&x=%20+%ff#part',
  '//evil.example',
  '//evil.example/%2f..',
  '///evil.example',
  '/@evil.example',
  '//user:pw@evil.example',
  '/.evil.example',
  '/:443@evil.example',
  '/%5cevil.example',
  '/%2f%2fevil.example',
  '/?\\evil.example',
  '/"<>^`{|}',
])('the target %s is kept byte for byte, on a host of ours', async (target) => {
  const { status, headers } = await ask(target)
  expect(status).toBe(308)
  expect(headers.get('location')).toBe(`https://${owned[0]}${target}`)
})

test.each([
  ['http://evil.example', '/'],
  ['http://evil.example/a/../b?c=%zz', '/a/../b?c=%zz'],
  ['https://user:pw@evil.example:8080/a', '/a'],
  ['http://evil.example//other.example', '//other.example'],
  ['http://evil.example?a=1', '/?a=1'],
  ['http://evil.example?//other.example/', '/?//other.example/'],
])('the absolute form %s loses its host, and no other byte', async (target, rest) => {
  const { status, headers } = await ask(target)
  expect(status).toBe(308)
  expect(headers.get('location')).toBe(`https://${owned[0]}${rest}`)
})

test.each([
  ['/\\evil.example', {}],
  ['/\\/evil.example', {}],
  ['/a\\..\\b', {}],
  ['http://evil.example\\@orders.example.com/', {}],
  ['ftp://evil.example/', {}],
  ['*', {}],
  ['/', { Host: 'evil.example/path' }],
  ['/', { Host: 'user@evil.example' }],
  ['/', { Host: 'a b' }],
  ['/', { Host: 'orders.example.com\\@evil.example' }],
])('the target %s with %j is refused, and nobody redirected', async (target, headers) => {
  const response = await ask(target, headers)
  expect(response.status).toBe(400)
  expect(response.headers.get('location')).toBeNull()
  expect(JSON.parse(response.body)).toMatchObject({ code: 'MALFORMED_REQUEST' })
})

test('a method that only raw bytes can say is redirected as well', async () => {
  const { status, headers } = await ask('/ping?a', {}, 'TRACE')
  expect([status, headers.get('location')]).toEqual([308, `https://${owned[0]}/ping?a`])
})

test('whatever the target and the headers say, the host is ours and path and query are those sent', async () => {
  const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((n) => String.fromCharCode(n)) })
  const host = fc.oneof(fc.constantFrom(...owned), fc.domain(), fc.webAuthority(), visible)
  const start = fc.constantFrom('', '/', '/evil.example', '\\', '@', '%2f', '%5C', '.', ':80', '?', '#')
  const target = fc.tuple(start, visible).map(([first, rest]) => `/${first}${rest}`)
  const forms = fc.oneof(
    target.map((path) => ({ sent: path, kept: path })),
    fc.tuple(fc.webAuthority(), target).map(([a, path]) => ({ sent: `http://${a}${path}`, kept: path })),
  )
  let redirected = 0
  await fc.assert(
    fc.asyncProperty(forms, host, host, async ({ sent, kept }, Host, forwarded) => {
      const { status, headers } = await ask(sent, { Host, 'X-Forwarded-Host': forwarded })
      const location = headers.get('location')
      if (status === 400) {
        expect(location).toBeNull()
      } else {
        redirected++
        const expected = owned.includes(Host) ? Host : owned[0]
        expect([status, location]).toEqual([308, `https://${expected}${kept}`])
        expect(owned).toContain(new URL(location ?? '').host)
      }
    }),
    { numRuns: 200 },
  )
  expect(redirected).toBeGreaterThan(50)
})
