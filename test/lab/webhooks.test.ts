import { expect, test } from 'vitest'
import { expectProblem } from '#test/kit'
import { sharedLab } from './lab.ts'
import { signatureOf } from './routes/webhooks.ts'

const lab = sharedLab()

const send = (body: string | Uint8Array<ArrayBuffer>, signature = signatureOf(Buffer.from(body))) =>
  lab.api('/webhooks/payments', {
    ...{ method: 'POST', body },
    headers: { 'Content-Type': 'application/json', 'X-Signature': signature },
  })

test('a webhook sees the bytes that were signed, spaces and escapes as they came', async () => {
  const body = '{ "paid" : true,\n "name":"\\u6771 😀" }\r\n'
  const response = await send(body)
  expect(await response.json()).toEqual({
    event: { paid: true, name: '東 😀' },
    bytes: Buffer.byteLength(body),
  })
})

test.each(['', 'x', signatureOf(Buffer.from('{"paid":false}'))])(
  'another signature is a 401: %j',
  async (signature) => {
    await expectProblem(await send('{"paid":true}', signature), 401, 'UNAUTHORIZED')
  },
)

test('a signed body that is no JSON is a 400, one over the limit a 413', async () => {
  await expectProblem(await send('{bad'), 400, 'MALFORMED_REQUEST')
  await expectProblem(await send(new Uint8Array(2 ** 20 + 1)), 413, 'BODY_TOO_LARGE')
})

test('HAL is sent as its own type, with Hono’s secureHeaders and etag, and is a 304 to who has it', async () => {
  const response = await lab.api('/linked')
  expect(await response.json()).toEqual({ total: 3, _links: { self: { href: '/linked' } } })
  expect(response.headers.get('content-type')).toBe('application/hal+json')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  const tag = response.headers.get('etag') ?? ''
  expect(tag).toMatch(/^(W\/)?".+"$/)
  expect((await lab.api('/linked', { headers: { 'If-None-Match': tag } })).status).toBe(304)
  const head = await lab.api('/linked', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('basicAuth on a route of the contract is a 401 with its challenge, and lets in', async () => {
  const refused = await lab.api('/guarded')
  expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
  await expectProblem(refused, 401, 'UNAUTHORIZED')
  const headers = { Authorization: `Basic ${btoa('ada:lovelace')}` }
  expect(await (await lab.api('/guarded', { headers })).json()).toEqual({ user: 'ada' })
})
