import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { fieldsOf } from '#src/runtime/http/fields.ts'
import { collectPairs } from '#src/runtime/http/pairs.ts'
import { handle } from '#src/runtime/routes/route.ts'
import { allocatedBy } from '#test/support/allocated.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { allTypesRoute } from '#test/support/forms.ts'
import { testService } from '#test/support/service.ts'

const schema = z.strictObject({ tag: z.array(z.number()).optional() })
const take = allTypesRoute(schema, z.object({ count: z.int() }), 1024 * 1024)
const { api } = await testService({
  databaseUrl: noDatabase,
  features: [
    featureOf(
      handle(take, (c) => {
        const values = c.req.valid(c.req.header('content-type') === 'application/json' ? 'json' : 'form')
        return c.json({ count: values?.tag?.length ?? 0 }, 200)
      }),
    ),
  ],
})

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const fields = (count: number) => Array.from({ length: count }, () => 'tag=1').join('&')

test('a form may have 1,000 fields, and no more', async () => {
  expect(await expectJson(await api('/all', { body: fields(1_000), headers: form }))).toEqual({
    count: 1_000,
  })
  for (const count of [1_001, 40_000, 170_000]) {
    const problem = await expectProblem(
      await api('/all', { body: fields(count), headers: form }),
      400,
      'VALIDATION_FAILED',
    )
    expect(problem.detail).toBe('The body has more than 1000 fields.')
  }
})

test('so it is with the parts of a multipart body', async () => {
  const parts = (count: number) => {
    const body = new FormData()
    for (let part = 0; part < count; part++) body.append('tag', '1')
    return body
  }
  expect(await expectJson(await api('/all', { body: parts(1_000) }))).toEqual({ count: 1_000 })
  const tooMany = await api('/all', { body: parts(9_000) })
  expect((await expectProblem(tooMany, 400, 'VALIDATION_FAILED')).detail).toContain('more than 1000 fields')
})

test('and with a query, also where the route takes none', async () => {
  const query = Array.from({ length: 1_500 }, (_, index) => `k${index}=`).join('&')
  const response = await api(`/ping?${query}`)
  const problem = await expectProblem(response, 400, 'VALIDATION_FAILED')
  expect(problem.detail).toBe('The query has more than 1000 fields.')
})

test.each([
  ['wrong items', { tag: Array.from({ length: 900 }, () => 'x') }, 850],
  ['unknown keys', Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`k${index}`, 0])), 850],
])('of many %s a problem lists 50, and counts the rest', async (_what, body, rest) => {
  const response = await api('/all', { json: body })
  const problem = await expectProblem(response, 400, 'VALIDATION_FAILED')
  expect(problem.errors).toHaveLength(50)
  expect(problem.detail).toBe(`The body does not fit the contract. ${rest} more errors are not listed.`)
})

test('keys as long as the body do not make a problem of its length', async () => {
  const long = (index: number) => `${index}${'東'.repeat(6_000)}`
  const body = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [long(index), 0]))
  const response = await api('/all', { json: body })
  const text = await response.clone().text()
  expect(Buffer.byteLength(text)).toBeLessThan(65_536)
  expect((await expectProblem(response, 400, 'VALIDATION_FAILED')).errors).toHaveLength(50)
})

test('the work on repeated keys grows with their number, no faster', () => {
  const fields = fieldsOf(schema)
  const work = (count: number) => {
    const pairs = Array.from({ length: count }, () => ['tag', '1'] as const)
    return allocatedBy(() => expect(collectPairs(pairs, fields, 'body').tag).toHaveLength(count))
  }
  work(10_000)
  expect(work(10_000)).toBeLessThan(20 * work(1_000))
})
