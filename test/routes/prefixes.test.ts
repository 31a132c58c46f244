import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { at, defineFeature } from '#src/runtime/feature.ts'
import { defineRoute, handle, handlePlain, json, jsonBody } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'

/** Two versions of one feature, which differ in what a thing is. */
function things<Thing extends z.ZodType<object>>(version: string, Thing: Thing) {
  const make = defineRoute({
    method: 'post',
    path: '/things',
    operationId: `makeThing${version}`,
    summary: 'Make a thing',
    security: 'public',
    request: { body: jsonBody(z.strictObject({ name: z.string() })) },
    responses: { 201: json('The thing', z.object({ name: z.string(), version: z.string() })) },
  })
  const read = defineRoute({
    method: 'get',
    path: '/things/{id}',
    operationId: `readThing${version}`,
    summary: 'Read a thing',
    security: 'public',
    request: { params: z.object({ id: z.string() }) },
    responses: { 200: json('The thing', Thing) },
  })
  return defineFeature({
    name: 'things',
    description: 'Things.',
    routes: () => [
      handle(make, (c) => {
        const { name } = c.req.valid('json')
        return c.json({ name, version }, 201, { Location: `${c.req.path}/${name}` })
      }),
      handle(read, (c) => c.json({ id: c.req.valid('param').id, version }, 200) as never),
      handlePlain({ method: 'post', path: '/hooks/:name', security: 'public' }, (c) =>
        c.text(`${version} ${c.req.path}`),
      ),
    ],
  })
}

const one = things('V1', z.object({ id: z.string(), version: z.literal('V1') }).openapi('ThingV1'))
const two = things('V2', z.object({ id: z.string(), version: z.literal('V2') }).openapi('ThingV2'))
const { api } = await testService({ databaseUrl: noDatabase, features: [at('/v1', one), at('/v2', two)] })

test.each([
  ['/v1', 'V1'],
  ['/v2', 'V2'],
])('below %s lives its own version, its Location included', async (prefix, version) => {
  const made = await api(`${prefix}/things`, { json: { name: 'cup' } })
  expect(await expectJson(made, 201)).toEqual({ name: 'cup', version })
  const location = made.headers.get('location') ?? ''
  expect(location).toBe(`${prefix}/things/cup`)
  expect(await expectJson(await api(location))).toEqual({ id: 'cup', version })
  const hook = await api(`${prefix}/hooks/stripe`, { method: 'POST' })
  expect(await hook.text()).toBe(`${version} ${prefix}/hooks/stripe`)
})

test('nothing is left where no prefix is', async () => {
  await expectProblem(await api('/things/cup'), 404, 'NOT_FOUND')
  await expectProblem(await api('/v3/things/cup'), 404, 'NOT_FOUND')
})

test('a feature with tables and scopes lives below a prefix as it does without one', async () => {
  const service = await testService({ features: [at('/v1', notes)] })
  const alice = await service.as('alice', noteScopes)
  const written = await alice('/v1/notes', { json: { text: 'Tea', pages: 2 } })
  const note = await expectJson(written, 201)
  expect(written.headers.get('location')).toBe(`/v1/notes/${note.id}`)
  expect(await expectJson(await alice(`/v1/notes/${note.id}`))).toEqual(note)
})

test('the contract shows both, under one tag', async () => {
  const contract = await expectJson<{ paths: Record<string, object>; tags: { name: string }[] }>(
    await api('/openapi.json'),
  )
  const paths = Object.keys(contract.paths).filter((path) => path.includes('things'))
  expect(paths).toEqual(['/v1/things', '/v1/things/{id}', '/v2/things', '/v2/things/{id}'])
  expect(contract.tags.map(({ name }) => name)).toEqual(['runtime', 'things'])
})

test.each(['v3', '/v3', '/v3/', '/'])('a feature mounts at %j', async (prefix) => {
  const service = await testService({ databaseUrl: noDatabase, features: [at(prefix, one)] })
  const path = prefix === '/' ? '/things/cup' : '/v3/things/cup'
  await expectJson(await service.api(path))
})

test('one feature below two prefixes does not start: its operationIds would be twice', async () => {
  const features = [at('/v1', one), at('/v2', one)]
  await expect(testService({ databaseUrl: noDatabase, features })).rejects.toThrow(
    'POST /v2/things has the operationId makeThingV1 of another route',
  )
})
