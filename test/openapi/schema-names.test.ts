import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { problemDetails } from '#src/runtime/http/problem-format.ts'
import { handle, json, jsonBody, type RouteDefinition } from '#src/runtime/routes/route.ts'
import { expectJson } from '#test/support/expect.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'
import { pymacaronFormat } from '../http/pymacaron-format.ts'

const Item = z.strictObject({ sku: z.string() }).openapi('Item')
const Sku = z.string().min(3).openapi('Sku')

test.each([
  ['another shape', z.strictObject({ id: z.number() }).openapi('Item')],
  ['an extension', Item.extend({ more: z.string() }).openapi('Item')],
  ['the same, but not strict', z.looseObject({ sku: z.string() }).openapi('Item')],
  ['the same, but for a bound', z.strictObject({ sku: z.string().min(1) }).openapi('Item')],
])('two different schemas of one name do not start: %s', async (_name, other) => {
  const message = 'Two different schemas are named Item: rename one of them'
  await expect(serve(route('a', Item), route('b', other))).rejects.toThrow(message)
  await expect(serve(route('a', Item, other))).rejects.toThrow(message)
})

test('one that drops unknown keys is not the same as one that refuses them', async () => {
  const lax = z.object({ sku: z.string() }).openapi('Item')
  await expect(serve(route('a', Item, lax))).rejects.toThrow('Two different schemas are named Item')
})

test.each([
  ['usual', 'Problem', problemDetails],
  ['fork’s', 'Error', pymacaronFormat],
])('the name of the %s problem format is taken', async (_whose, name, format) => {
  const other = z.strictObject({ sku: z.string() }).openapi(name)
  const service = testService({ databaseUrl: noDatabase, features: [featureOf(route('a', other))], format })
  await expect(service).rejects.toThrow(`Two different schemas are named ${name}`)
})

test('the name that the contract gives to a schema where the service sends it is not for another', async () => {
  const Order = z.strictObject({ pages: z.int().default(1) }).openapi('Order')
  const OrderOutput = z.object({ sku: z.string() }).openapi('OrderOutput')
  const message = 'The contract shows Order as OrderOutput where the service sends it'
  await expect(serve(route('a', Order, Order), route('b', Item, OrderOutput))).rejects.toThrow(message)
  // where nothing sends an Order, the name is free
  const { api } = await serve(route('a', Order), route('b', Item, OrderOutput))
  const { components } = await expectJson<{ components: { schemas: object } }>(await api('/openapi.json'))
  expect(components.schemas).toMatchObject({
    Order: { properties: { pages: { default: 1 } } },
    OrderOutput: { properties: { sku: { type: 'string' } } },
  })
})

test('they are found deep inside, in requests, replies and lists', async () => {
  const other = z.strictObject({ sku: z.number() }).openapi('Item')
  const deep = z.strictObject({
    lines: z.array(z.strictObject({ of: z.union([z.string(), other.optional()]) })),
  })
  await expect(serve(route('a', Item), route('b', deep))).rejects.toThrow('are named Item')
  await expect(serve(route('a', z.strictObject({ a: Item, b: deep })))).rejects.toThrow('are named Item')
  await expect(serve(route('a', z.strictObject({}), Item), route('b', deep))).rejects.toThrow(
    'are named Item',
  )
})

test('names of parameters’ schemas count as well', async () => {
  const query = z.strictObject({ sku: z.string().openapi('Sku').optional() })
  const search = route('b', Item, Item, { request: { query } })
  await expect(serve(route('a', Sku), search)).rejects.toThrow('are named Sku')
})

test('the same schema may stand in many places, optional, nullable, in lists or written twice', async () => {
  const twin = z.strictObject({ sku: z.string() }).openapi('Item')
  const places = z.strictObject({
    one: Item,
    optional: Item.optional(),
    nullable: Item.nullable(),
    nullish: Item.nullish(),
    list: z.array(Item),
    twin,
    described: Item.openapi({ description: 'An item, as the shop knows it' }),
    exemplified: Item.meta({ description: 'An item', example: { sku: 'abc' } }),
    checked: Item.refine(({ sku }) => sku !== 'none'),
  })
  const { api } = await serve(route('a', places, Item), route('b', Item, places))
  const { components } = await expectJson<{ components: { schemas: object } }>(await api('/openapi.json'))
  expect(components.schemas).toMatchObject({
    Item: { type: 'object', properties: { sku: { type: 'string' } }, additionalProperties: false },
  })
})

test('a schema is shown as it is, though it is first used as one that may be null', async () => {
  const { api } = await serve(
    route('a', z.strictObject({}), z.object({ first: Item.nullable(), second: Item })),
  )
  const { components } = await expectJson<{ components: { schemas: object } }>(await api('/openapi.json'))
  expect(components.schemas).toMatchObject({ Item: { type: 'object' } })
})

function route(name: string, body: z.ZodType, reply: z.ZodType = Item, more: Partial<RouteDefinition> = {}) {
  const definition: RouteDefinition = {
    method: 'post',
    path: `/${name}`,
    operationId: name,
    summary: 'Take and give',
    security: 'public',
    request: { body: jsonBody(body) },
    responses: { 200: json('What came', reply) },
    ...more,
  }
  return handle(definition, () => new Response())
}

function serve(...routes: ReturnType<typeof route>[]) {
  return testService({ databaseUrl: noDatabase, features: [featureOf(...routes)] })
}
