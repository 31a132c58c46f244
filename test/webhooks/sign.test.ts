import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { eventPattern, patternsOf } from '#src/webhooks/events.ts'
import { createSecret, signatureHeaders } from '#src/webhooks/sign.ts'

describe('a signature', () => {
  test('is the one that Standard Webhooks publishes for these values', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' }
    expect(signatureHeaders([secret], message, 1614265330)).toEqual({
      'webhook-id': message.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  test('of each secret is verified by its library, whatever the body', () => {
    const now = Math.floor(Date.now() / 1000)
    for (const body of ['{}', '{"name":"Tee 茶 🫖 \\u0000"}', `{"text":"${'x'.repeat(100_000)}"}`]) {
      const secrets = [createSecret(), createSecret()]
      const headers = signatureHeaders(secrets, { id: 'a-b', body }, now)
      for (const secret of secrets)
        expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body))
      expect(() => new Webhook(createSecret()).verify(body, headers)).toThrow('No matching signature')
      expect(() => new Webhook(secrets[0] ?? '').verify(`${body} `, headers)).toThrow('No matching signature')
    }
  })
})

test('a secret is 32 random bytes, and no two are the same', () => {
  const secrets = Array.from({ length: 20 }, createSecret)
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32)
  }
  expect(new Set(secrets).size).toBe(20)
})

describe('the name of an event', () => {
  test.each([
    ['order', ['order', '*']],
    ['order.placed', ['order.placed', 'order.*', '*']],
    ['order.item.sold', ['order.item.sold', 'order.*', 'order.item.*', '*']],
  ])('%s matches these patterns', (type, patterns) => {
    expect(patternsOf(type).toSorted()).toEqual(patterns.toSorted())
    for (const pattern of patterns) expect(pattern).toMatch(eventPattern)
  })

  test.each([
    '',
    'Order',
    'order.*',
    '*',
    '.order',
    'order.',
    'order..placed',
    'order placed',
    'a'.repeat(101),
  ])('%j is none', (type) => {
    expect(() => patternsOf(type)).toThrow('cannot be the name of an event: write small letters and dots')
  })

  test.each(['**', '*.placed', 'order*', 'order.*.placed', 'order.', ' order'])(
    '%j is no pattern',
    (pattern) => {
      expect(pattern).not.toMatch(eventPattern)
    },
  )
})
