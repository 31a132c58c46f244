import { z } from '@hono/zod-openapi'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entityTag, matchedVersions, noneMatch } from '#src/runtime/http/preconditions.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const versions = fc.integer({ min: 0, max: 999_999_999 })
const weak = fc.boolean()
const tag = (version: number, isWeak = false) => `${isWeak ? 'W/' : ''}${entityTag(version)}`
const lists = fc.array(fc.tuple(versions, weak), { minLength: 1, maxLength: 5 })
const blanks = fc.constantFrom('', ' ', '\t', '  ')

describe('If-None-Match', () => {
  test('matches by any of its tags, weak or strong, and by no other', () => {
    fc.assert(
      fc.property(lists, versions, blanks, (list, current, blank) => {
        const header = list.map(([version, isWeak]) => tag(version, isWeak)).join(`,${blank}`)
        const named = list.some(([version]) => version === current)
        expect(noneMatch(header, entityTag(current))).toBe(!named)
      }),
    )
  })

  test('matches by no tag where there is no header, or none in it', () => {
    for (const header of [undefined, '', '1', '"1', 'W/1', '"1 "', '" 1"', '**']) {
      expect(noneMatch(header, '"1"')).toBe(true)
    }
  })

  test('takes any text at all', () => {
    fc.assert(fc.property(fc.string(), (header) => void noneMatch(header, '"1"')))
  })
})

describe('If-Match', () => {
  test('names the versions of its tags, weak or strong', () => {
    fc.assert(
      fc.property(lists, blanks, (list, blank) => {
        const header = list.map(([version, isWeak]) => tag(version, isWeak)).join(`${blank},`)
        expect(matchedVersions(header)).toEqual(list.map(([version]) => version))
      }),
    )
  })

  test('takes any version where there is none, or *', () => {
    for (const header of [undefined, '*', ' * ']) expect(matchedVersions(header)).toBeUndefined()
  })

  test('names no version where its tags are not ours, so that nothing matches', () => {
    for (const header of ['', '1', '"x"', '"01"', '"-1"', '"1.0"', '"1e3"', '"9999999999"', '""', '"1'])
      expect(matchedVersions(header)).toEqual([])
  })

  test('takes any text at all, and names nothing but what a database integer holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `"${text}"`),
        ),
        (header) => {
          for (const version of matchedVersions(header) ?? []) {
            expect(Number.isInteger(version) && version >= 0 && version < 2 ** 31).toBe(true)
          }
        },
      ),
    )
  })
})

test('the tag of a compressed answer, which gzip weakens, matches in both', async () => {
  const show = defineRoute({
    method: 'get',
    path: '/long',
    operationId: 'showLong',
    summary: 'Show a long text',
    security: 'public',
    responses: { 200: json('The text', z.object({ text: z.string() }), { ETag: 'Its version' }) },
  })
  const feature = featureOf(
    handle(show, (c) => c.json({ text: 'x'.repeat(5000) }, 200, { ETag: entityTag(3) })),
  )
  const { api } = await testService({ databaseUrl: noDatabase, features: [feature] })
  const plain = await api('/long')
  expect(plain.headers.get('etag')).toBe('"3"')
  await expectJson(plain)

  const compressed = await api('/long', { headers: { 'Accept-Encoding': 'gzip' } })
  await compressed.arrayBuffer()
  expect(compressed.headers.get('content-encoding')).toBe('gzip')
  const tag = compressed.headers.get('etag') ?? ''
  expect(tag).toBe('W/"3"')
  expect(matchedVersions(tag)).toEqual([3])
  expect(noneMatch(tag, entityTag(3))).toBe(false)
})
