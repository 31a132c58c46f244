import { describe, expect, test } from 'vitest'
import { defineApiKey, defineFeature, defineRoute, handle } from '#runtime'
import { expectProblem, testService } from '#test/kit'
import { byAny, partnerDatabase, stock } from './partner-keys.ts'

const databaseUrl = await partnerDatabase()

describe('the service does not start', () => {
  const start = (security: unknown) =>
    testService({
      databaseUrl,
      features: [
        defineFeature({
          ...stock,
          routes: (context) => [
            ...stock.routes(context),
            handle(
              defineRoute({ ...byAny, path: '/other', operationId: 'other', security: security as 'public' }),
              (c) => c.json({ subject: '', issuer: '' }, 200),
            ),
          ],
        }),
      ],
    })

  test.each([
    ['no scheme', { schemes: [] }],
    ['a scheme that is none', { schemes: ['key'] }],
    ['no scopes but a text', { schemes: ['token'], scopes: 'stock:read' }],
    ['a scope with a space', { schemes: ['token'], scopes: ['a b'] }],
  ])('with %s', async (_what, security) => {
    await expect(start(security)).rejects.toThrow('GET /other does not declare its security.')
  })

  test('with two schemes of one header: the second is never used', async () => {
    const [one, other] = ['X-Key', 'x-key'].map((header, index) =>
      defineApiKey({ name: `key${index}`, header, findOwner: async () => undefined }),
    )
    const refusal = 'GET /other takes two schemes from the header'
    await expect(start({ schemes: [one, 'token', other] })).rejects.toThrow(`${refusal} x-key`)
    await expect(start({ schemes: ['token', 'token'] })).rejects.toThrow(`${refusal} authorization`)
  })

  test('with two keys of one name', async () => {
    const other = defineApiKey({ name: 'partnerKey', header: 'X-Other', findOwner: async () => undefined })
    await expect(start({ schemes: [other] })).rejects.toThrow(
      'Two API keys have the name partnerKey: rename one.',
    )
  })

  test.each([
    ['bearer', 'X-Key', 'its name must be letters and digits'],
    ['', 'X-Key', 'its name must be letters and digits'],
    ['a b', 'X-Key', 'its name must be letters and digits'],
    ['key', 'Authorization', 'the header Authorization is not valid, or has another meaning'],
    ['key', 'Cookie', 'the header Cookie is not valid, or has another meaning'],
    ['key', 'X Key', 'the header X Key is not valid, or has another meaning'],
  ])('with a key %j in %j', (name, header, words) => {
    expect(() => defineApiKey({ name, header, findOwner: async () => undefined })).toThrow(words)
  })
})

test.each(['', 'a\0', 'x'.repeat(1001)])(
  'an owner whose subject cannot be stored is a 500',
  async (subject) => {
    const odd = defineApiKey({ name: 'odd', header: 'X-Odd', findOwner: async () => ({ subject }) })
    const route = defineRoute({ ...byAny, security: { schemes: [odd] } })
    const feature = defineFeature({
      ...{ name: 'odd', description: 'Odd.' },
      routes: () => [handle(route, (c) => c.json({ subject: c.var.caller.subject, issuer: '' }, 200))],
    })
    const service = await testService({ features: [feature], databaseUrl })
    await expectProblem(await service.api('/by-any', { headers: { 'X-Odd': 'key' } }), 500, 'INTERNAL')
  },
)
