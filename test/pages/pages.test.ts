import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { pageRoutes } from '#src/runtime/pages/page-routes.ts'
import { client } from '#test/support/client.ts'
import { expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

const html = new URL('./fixtures/trial.html', import.meta.url)
const script = new URL('./fixtures/trial.js', import.meta.url)
const loads: string[] = []
const routes = [
  ...pageRoutes('/trial', async () => {
    loads.push('trial')
    return {
      html,
      files: { 'trial.js': script, 'odd.html': html },
      values: (c) => ({ title: c.req.query('title') ?? 'Trial' }),
      policy: { 'img-src': 'data:' },
    }
  }),
  ...pageRoutes('/valueless', async () => ({ html, files: {} })),
]
const { api, url } = await testServer({ databaseUrl: noDatabase, features: [featureOf(...routes)] })

test('a page has a policy with a nonce, another for each response, so that no cache keeps it', async () => {
  const nonces = new Set<string>()
  for (const _time of [1, 2]) {
    const page = await api('/trial')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toMatch(/^text\/html; charset=utf-8$/i)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect(page.headers.get('etag')).toBeNull()
    const policy = page.headers.get('content-security-policy') ?? ''
    const nonce = /'nonce-([\w+/]{22}==)'/.exec(policy)?.[1] ?? 'none'
    nonces.add(nonce)
    expect(policy.split('; ').sort()).toEqual(
      [
        ...[
          "default-src 'none'",
          "connect-src 'self'",
          'img-src data:',
          "base-uri 'none'",
          "form-action 'none'",
        ],
        ...["frame-ancestors 'none'", `script-src 'nonce-${nonce}'`, `style-src 'nonce-${nonce}'`],
      ].sort(),
    )
    expect((await page.text()).match(/nonce="[^"]*"/g)).toEqual([`nonce="${nonce}"`, `nonce="${nonce}"`])
  }
  expect(nonces.size).toBe(2)
})

test('values are written into the HTML as text', async () => {
  const page = await api(`/trial?title=${encodeURIComponent(`<script>alert("1' & 2")</script>`)}`)
  expect(await page.text()).toContain(
    '<title>&lt;script&gt;alert(&quot;1&#39; &amp; 2&quot;)&lt;/script&gt;</title>',
  )
})

test('a page that has a value too few is a 500, and the log names the value', async () => {
  await expectProblem(await api('/valueless'), 500, 'INTERNAL')
})

test('a page is loaded at its first request, and once', async () => {
  await Promise.all([api('/trial'), api('/trial/trial.js')])
  expect(loads).toEqual(['trial'])
})

test.each([
  ['gzip', 'gzip', /^"[\w-]{22}-gzip"$/],
  ['identity', null, /^"[\w-]{22}"$/],
])(
  'a file for Accept-Encoding: %s has a strong tag of its own, and is a 304 for either',
  async (encoding, coded, tagged) => {
    const bytes = await fetch(`${url}/trial/trial.js`, { headers: { 'Accept-Encoding': encoding } })
    expect(bytes.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(bytes.headers.get('content-encoding')).toBe(coded)
    expect(bytes.headers.get('cache-control')).toBe('no-cache')
    expect(bytes.headers.get('vary')).toBe('Accept-Encoding')
    expect(bytes.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await bytes.text()).toContain('The script ran.')
    const tag = bytes.headers.get('etag') ?? ''
    expect(tag).toMatch(tagged)
    for (const other of ['gzip', 'identity']) {
      const headers = { 'If-None-Match': tag, 'Accept-Encoding': other }
      const again = await api('/trial/trial.js', { headers })
      expect([again.status, await again.text()]).toEqual([304, ''])
    }
    expect((await api('/trial/trial.js', { headers: { 'If-None-Match': '"other"' } })).status).toBe(200)
  },
)

test('HEAD has the headers of GET, and no body', async () => {
  for (const path of ['/trial', '/trial/trial.js']) {
    const [head, get] = [await api(path, { method: 'HEAD' }), await api(path)]
    expect([head.status, await head.text()]).toEqual([200, ''])
    for (const name of ['content-type', 'etag', 'cache-control', 'content-encoding'])
      expect(head.headers.get(name), name).toBe(get.headers.get(name))
  }
})

test.each(['/trial/none.js', '/trial/constructor', '/trial/..%2Ftrial.html', '/trial/trial.js/more'])(
  '%s is a 404',
  async (path) => {
    await expectProblem(await api(path), 404, 'NOT_FOUND')
  },
)

test('other methods are a 405', async () => {
  await expectProblem(await api('/trial', { method: 'POST' }), 405, 'METHOD_NOT_ALLOWED')
  await expectProblem(await client(url)('/trial/trial.js', { method: 'DELETE' }), 405, 'METHOD_NOT_ALLOWED')
})

test('a file without a known type is a 500: a browser would guess', async () => {
  await expectProblem(await api('/trial/odd.html'), 500, 'INTERNAL')
})

test('what is compressed is what is plain', async () => {
  const { staticFile } = await import('#src/runtime/http/static-file.ts')
  const bytes = Buffer.from('let a = 1\n'.repeat(1000))
  const { plain, gzipped } = await staticFile(bytes)
  expect(Buffer.from(plain).equals(bytes)).toBe(true)
  expect(gunzipSync(gzipped).equals(bytes)).toBe(true)
  expect(gzipped.length).toBeLessThan(1000)
})

test('a page whose load fails once is there at the next request', async () => {
  let loads = 0
  const flaky = pageRoutes('/flaky', async () => {
    if (++loads === 1) throw new Error('No file can be opened')
    return { html, files: { 'trial.js': script }, values: () => ({ title: 'Flaky' }) }
  })
  const server = await testServer({ databaseUrl: noDatabase, features: [featureOf(...flaky)] })
  await expectProblem(await server.api('/flaky/trial.js'), 500, 'INTERNAL')
  expect((await server.api('/flaky/trial.js')).status).toBe(200)
  expect((await server.api('/flaky')).status).toBe(200)
  expect(loads).toBe(2)
})
