import { expect, test } from 'vitest'
import {
  cursorParameter,
  defineFeature,
  defineProblems,
  handle,
  json,
  type RouteDefinition,
  z,
} from '#runtime'
import { contractOf } from '#test/support/contract.ts'
import { expectJson } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

// Which parameters, headers and problems of a fork's routes become components, and by which names.

interface Operation {
  parameters?: unknown[]
  responses: Record<string, { headers?: unknown; description?: string }>
}
interface Contract {
  paths: Record<string, { get: Operation }>
  components: Record<string, Record<string, unknown>>
}

const shopProblems = defineProblems({
  SHOP_CLOSED: { status: 409, title: 'The shop is closed' },
  SHOP_FULL: { status: 409, title: 'The shop is full' },
  SHOP_MOVED: { status: 404, title: 'The shop has moved' },
})

/** The operations of routes that state this, named /1, /2 and so on, and the components. */
async function contractWith(...stated: Partial<RouteDefinition>[]) {
  const { api } = await service(stated)
  const { paths, components } = await expectJson<Contract>(await api('/openapi.json'))
  const followed = await contractOf<Contract>(api)
  const places = stated.map((_, index) => `/${index + 1}`)
  return {
    components,
    operations: places.map((place) => paths[place]?.get),
    followed: places.map((place) => followed.paths[place]?.get),
  }
}

function service(stated: Partial<RouteDefinition>[], problems: Parameters<typeof defineProblems>[0] = {}) {
  const routes = stated.map((more, index) => {
    const path = `/${index + 1}`
    const responses = { 200: json('It', z.object({})) }
    const route = { method: 'get', path, operationId: `show${index + 1}`, summary: 'Show it' } as const
    return handle(
      { ...route, security: 'public', responses, ...more } as RouteDefinition,
      () => new Response(),
    )
  })
  const defined = { ...shopProblems, ...defineProblems(problems) }
  const feature = defineFeature({
    name: 'shop',
    description: 'A shop.',
    problems: defined,
    routes: () => routes,
  })
  return testService({ databaseUrl: noDatabase, features: [feature] })
}

const query = (limit: number) => ({
  request: {
    query: z.strictObject({ limit: z.int().min(1).max(limit), cursor: cursorParameter().optional() }),
  },
})
const limitOf = (maximum: number) => ({
  name: 'limit',
  in: 'query',
  required: true,
  schema: { type: 'integer', minimum: 1, maximum },
})

test('a parameter that one operation states stays there', async () => {
  const { components, operations } = await contractWith(query(10))
  expect(components).not.toHaveProperty('parameters')
  expect(operations[0]?.parameters?.[0]).toEqual(limitOf(10))
})

test('a parameter that several state alike is a component; what fewer state alike stays where it is', async () => {
  const { components, operations, followed } = await contractWith(
    query(10),
    query(50),
    query(50),
    query(9),
    query(9),
    query(50),
  )
  const reference = { $ref: '#/components/parameters/Limit' }
  expect(components.parameters?.Limit).toEqual(limitOf(50))
  expect(operations.map((one) => one?.parameters?.[0])).toEqual([
    ...[limitOf(10), reference, reference, limitOf(9), limitOf(9), reference],
  ])
  expect(followed.map((one) => one?.parameters?.[0])).toEqual([10, 50, 50, 9, 9, 50].map(limitOf))
  for (const one of operations)
    expect(one?.parameters?.[1]).toEqual({ $ref: '#/components/parameters/Cursor' })
})

test('parameters of one name in two places are two', async () => {
  const stated = {
    request: { query: z.strictObject({ 'x-id': z.string() }), headers: z.object({ 'x-id': z.string() }) },
  }
  const { components, operations } = await contractWith(stated, stated)
  expect(Object.keys(components.parameters ?? {})).toEqual(['XId'])
  for (const one of operations)
    expect(one?.parameters).toEqual([
      { $ref: '#/components/parameters/XId' },
      { name: 'x-id', in: 'header', required: true, schema: { type: 'string' } },
    ])
})

test('a header that several responses state alike is a component', async () => {
  const ETag = 'The version'
  const stated = (headers: Record<string, string>) => ({
    responses: { 200: json('It', z.object({}), headers) },
  })
  const { components, operations, followed } = await contractWith(
    stated({ ETag, 'X-Shop': 'Which' }),
    stated({ ETag }),
    stated({ ETag: 'Of these bytes' }),
  )
  const reference = { $ref: '#/components/headers/ETag' }
  const header = (description: string) => ({ required: true, description, schema: { type: 'string' } })
  expect(components.headers).toEqual({ ETag: header(ETag) })
  expect(operations.map((one) => one?.responses['200']?.headers)).toEqual([
    { ETag: reference, 'X-Shop': header('Which') },
    { ETag: reference },
    { ETag: header('Of these bytes') },
  ])
  expect(followed[1]?.responses['200']?.headers).toEqual({ ETag: header(ETag) })
})

test('a route that two features mount keeps what it states', async () => {
  const responses = { 200: json('It', z.object({}), { ETag: 'The version' }) }
  await contractWith({ responses }, { responses })
  expect(responses[200].headers.ETag).toMatchObject({ description: 'The version' })
})

const { SHOP_CLOSED, SHOP_FULL, SHOP_MOVED } = shopProblems
const named: { stated: Partial<RouteDefinition>; status: number; name: string }[] = [
  { stated: { problems: [SHOP_MOVED] }, status: 404, name: 'ShopMoved' },
  { stated: { problems: [SHOP_FULL, SHOP_CLOSED] }, status: 409, name: 'ShopClosedOrShopFull' },
  { stated: {}, status: 400, name: 'BadRequest' },
  { stated: {}, status: 500, name: 'InternalServerError' },
  { stated: {}, status: 503, name: 'ServiceUnavailable' },
  { stated: { security: 'authenticated' }, status: 401, name: 'Unauthenticated' },
  { stated: { security: 'optional' }, status: 401, name: 'TokenExpiredOrTokenInvalid' },
  { stated: { security: ['shop'] }, status: 403, name: 'ScopeMissing' },
  { stated: { security: ['shop'] }, status: 503, name: 'ServiceOrIdentityUnavailable' },
]

test.each(named)('the problems of $status are the response $name', async ({ stated, status, name }) => {
  const { operations } = await contractWith(stated)
  expect(operations[0]?.responses[status]).toEqual({ $ref: `#/components/responses/${name}` })
})

test('problems that two routes list in another order are one response', async () => {
  const { components, operations } = await contractWith(
    { problems: [SHOP_FULL, SHOP_CLOSED] },
    { problems: [SHOP_CLOSED, SHOP_FULL] },
  )
  for (const one of operations)
    expect(one?.responses[409]).toEqual({ $ref: '#/components/responses/ShopClosedOrShopFull' })
  expect(components.responses?.ShopClosedOrShopFull).toMatchObject({
    description: '`SHOP_CLOSED`: The shop is closed. `SHOP_FULL`: The shop is full.',
  })
})

test.each([
  { code: 'BAD_REQUEST', complaint: 'The contract has a response BadRequest of the runtime’s' },
  {
    code: 'Service_Unavailable',
    complaint: 'The contract has a response ServiceUnavailable of the runtime’s',
  },
  {
    code: 'NOT-FOUND',
    complaint: 'The contract would show the problems NOT_FOUND and NOT-FOUND as NotFound',
  },
  {
    code: 'SHOP__FULL',
    complaint: 'The contract would show the problems SHOP_FULL and SHOP__FULL as ShopFull',
  },
  { code: '漢字', complaint: 'The problem 漢字 has no letter: give it a code such as ORDER_NOT_FOUND.' },
])('a problem $code does not start: its name in the contract is taken', async ({ code, complaint }) => {
  await expect(service([{}], { [code]: { status: 409, title: 'Odd' } })).rejects.toThrow(complaint)
})
