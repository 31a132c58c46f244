import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const feature = featureOf(
  handlePlain({ method: 'post', path: '/hooks/:name', security: 'public', bodyLimit: 1000 }, async (c) => {
    const bytes = await c.req.arrayBuffer()
    const signature = createHmac('sha256', 'shared').update(Buffer.from(bytes)).digest('hex')
    if (signature !== c.req.header('x-signature')) return c.text('a wrong signature', 400)
    return c.json({ name: c.req.param('name'), bytes: bytes.byteLength })
  }),
  handlePlain({ method: 'get', path: '/', security: 'public' }, (c) => c.html('<h1>Hello</h1>')),
  handlePlain({ method: 'get', path: '/mine', security: ['pages:read'] }, (c) =>
    c.html(`<p>${c.var.caller.subject}</p>`),
  ),
  handlePlain({ method: 'get', path: '/broken', security: 'public' }, () => {
    throw new Error('the template is missing')
  }),
)
const { api, as } = await testService({ databaseUrl: noDatabase, features: [feature] })

test('a webhook reads its body as it came, byte for byte, of any type', async () => {
  const body = '{ "amount": 1.0, "amount": 2,  "note": "\\u0000" }\n'
  const signature = createHmac('sha256', 'shared').update(body).digest('hex')
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'x/y']) {
    const headers = { 'Content-Type': type, 'X-Signature': signature }
    const response = await api('/hooks/stripe', { body, headers })
    expect(await expectJson(response)).toEqual({ name: 'stripe', bytes: body.length })
  }
})

test('a webhook answers what it likes', async () => {
  const response = await api('/hooks/stripe', { body: 'x' })
  expect(response.status).toBe(400)
  expect(await response.text()).toBe('a wrong signature')
  expect(response.headers.get('x-request-id')).toBeTruthy()
})

test('its body is limited all the same', async () => {
  await expectProblem(await api('/hooks/stripe', { body: 'x'.repeat(1001) }), 413, 'BODY_TOO_LARGE')
})

test('a page is HTML, with the headers that protect browsers', async () => {
  const page = await api('/')
  expect(page.headers.get('content-type')).toBe('text/html; charset=UTF-8')
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(await page.text()).toBe('<h1>Hello</h1>')
})

test('a page that states scopes is for those who have them', async () => {
  await expectProblem(await api('/mine'), 401, 'TOKEN_MISSING')
  await expectProblem(await (await as('alice'))('/mine'), 403, 'SCOPE_MISSING')
  const page = await (await as('alice', ['pages:read']))('/mine')
  expect(await page.text()).toBe('<p>alice</p>')
})

test('what a page throws is a problem that says nothing of the cause', async () => {
  const response = await api('/broken')
  expect(JSON.stringify(await expectProblem(response, 500, 'INTERNAL'))).not.toContain('template')
})

test('neither stands in the contract', async () => {
  const { paths } = await expectJson<{ paths: object }>(await api('/openapi.json'))
  expect(Object.keys(paths)).toEqual(['/ping', '/version', '/auth/version', '/ready', '/openapi.json'])
})
