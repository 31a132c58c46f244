import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { problemsOf } from '#test/support/config.ts'
import { expectJson } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const limits = defineRoute({
  method: 'get',
  path: '/limits',
  operationId: 'getLimits',
  summary: 'Show the limits',
  security: 'public',
  responses: { 200: json('The limits', z.object({ notes: z.number(), pool: z.number() })) },
})
const notes = defineFeature({
  name: 'notes',
  description: 'Notes.',
  variables: { NOTES_LIMIT: z.coerce.number().int().min(1).default(10) },
  routes: ({ config }) => [
    handle(limits, (c) => c.json({ notes: config.NOTES_LIMIT, pool: config.DATABASE_POOL }, 200)),
  ],
})
const serve = (environment: Record<string, string>) =>
  testService({ databaseUrl: noDatabase, features: [notes], environment })

test('a feature finds its own variables, parsed, beside the runtime’s', async () => {
  const { api } = await serve({ NOTES_LIMIT: '3', DATABASE_POOL: '4' })
  expect(await expectJson(await api('/limits'))).toEqual({ notes: 3, pool: 4 })
})

test('its defaults hold where nothing is set', async () => {
  const { api } = await serve({ NOTES_LIMIT: '' })
  expect(await expectJson(await api('/limits'))).toEqual({ notes: 10, pool: 10 })
})

test('a wrong one stops the start', async () => {
  await expect(serve({ NOTES_LIMIT: '0' })).rejects.toThrow(/^ {2}NOTES_LIMIT: /m)
})

test.each([
  ['z.coerce.number()', z.coerce.number().int()],
  ['z.enum()', z.enum(['a', 'b'])],
  ['z.stringbool()', z.stringbool()],
  ['z.url()', z.url()],
  ['z.string().min(1)', z.string().min(1)],
])('%s that is not set is required, in the same words', (_name, schema) => {
  expect(problemsOf({}, [{ MINE: schema }])).toEqual(['MINE: is required but not set'])
  expect(problemsOf({ MINE: '-' }, [{ MINE: schema }]).join()).not.toContain('required')
})
