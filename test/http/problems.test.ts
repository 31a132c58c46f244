import { z } from '@hono/zod-openapi'
import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineProblems, Problem, type ProblemDefinition, problems } from '#src/runtime/kernel/problem.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { contractOf } from '#test/support/contract.ts'
import { expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const own = defineProblems({
  OUT_OF_STOCK: { status: 409, title: 'There is none left' },
  WAREHOUSE_CLOSED: { status: 503, title: 'The warehouse is closed' },
})

let thrown: unknown
const route = defineRoute({
  method: 'get',
  path: '/stock/{id}',
  operationId: 'getStock',
  summary: 'Count what is left',
  security: 'public',
  request: { params: z.object({ id: z.string() }), query: z.strictObject({ secret: z.string().optional() }) },
  responses: { 200: json('How many', z.object({ left: z.int() })) },
  problems: [own.OUT_OF_STOCK, own.WAREHOUSE_CLOSED],
})
const stock = defineFeature({
  name: 'stock',
  description: 'What is left.',
  problems: own,
  routes: () => [
    handle(route, async () => {
      throw thrown
    }),
  ],
})
const { api, lines } = await testService({ databaseUrl: noDatabase, features: [stock] })

beforeEach(() => {
  lines.length = 0
})

describe('a problem', () => {
  test('says its kind, and where it happened, and nothing else unless told', async () => {
    thrown = new Problem(own.OUT_OF_STOCK)
    const problem = await expectProblem(await api('/stock/7?secret=x'), 409, 'OUT_OF_STOCK')
    expect(problem).toEqual({
      type: 'urn:problem:out-of-stock',
      title: 'There is none left',
      status: 409,
      instance: '/stock/7',
      code: 'OUT_OF_STOCK',
      traceId: expect.any(String),
    })
  })

  test('says more where the one who throws it does', async () => {
    const errors = [{ detail: 'is too many', in: 'query', pointer: '#/count' }] as const
    const options = {
      detail: 'Two were left.',
      userMessage: 'Sold out, sorry!',
      errors,
      cause: new Error('SQL'),
    }
    thrown = new Problem(own.OUT_OF_STOCK, { ...options, headers: { 'Retry-After': '60' } })
    const response = await api('/stock/7')
    expect(response.headers.get('retry-after')).toBe('60')
    const problem = await expectProblem(response, 409, 'OUT_OF_STOCK')
    expect(problem).toMatchObject({ detail: 'Two were left.', userMessage: 'Sold out, sorry!', errors })
    expect(JSON.stringify(problem)).not.toContain('SQL')
  })

  test('is never kept by a cache, whatever it says itself', async () => {
    thrown = new Problem(own.OUT_OF_STOCK, { headers: { 'Cache-Control': 'public' } })
    expect((await api('/stock/7')).headers.get('cache-control')).toBe('no-store')
  })

  test('below 500 is nobody’s error: its line is a warning, without a stack', async () => {
    thrown = new Problem(own.OUT_OF_STOCK, { cause: new Error('why') })
    await api('/stock/7')
    expect(lines).toEqual([expect.objectContaining({ severity: 'WARNING', message: 'GET /stock/7 409' })])
    expect(lines[0]).not.toHaveProperty('stack_trace')
  })

  test('below 500 keeps only the line that threw it; another has its whole stack', () => {
    const framesOf = (error: Error) => error.stack?.split('\n').filter((line) => line.startsWith('    at '))
    const { stackTraceLimit } = Error
    expect(framesOf(new Problem(own.OUT_OF_STOCK))).toEqual([expect.stringContaining('problems.test.ts')])
    expect(framesOf(new Problem(own.WAREHOUSE_CLOSED))?.length).toBeGreaterThan(2)
    expect(Error.stackTraceLimit).toBe(stackTraceLimit)
  })

  test('of 500 or above is logged with its cause, which the caller does not see', async () => {
    thrown = new Problem(own.WAREHOUSE_CLOSED, { cause: new Error('The key of the door is lost') })
    const problem = await expectProblem(await api('/stock/7'), 503, 'WAREHOUSE_CLOSED')
    expect(JSON.stringify(problem)).not.toContain('key of the door')
    expect(lines[0]).toMatchObject({
      severity: 'ERROR',
      message: 'The warehouse is closed',
      code: 'WAREHOUSE_CLOSED',
      stack_trace: expect.stringMatching(/^Error: The key of the door is lost\n {4}at /),
    })
  })

  test('answers from inside another error, however deep', async () => {
    const inner = new Problem(own.OUT_OF_STOCK)
    thrown = new Error('Failed query', { cause: new AggregateError([], 'twice', { cause: inner }) })
    await expectProblem(await api('/stock/7'), 409, 'OUT_OF_STOCK')
  })

  test('carries the trace of its request', async () => {
    thrown = new Problem(own.OUT_OF_STOCK)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const problem = await expectProblem(
      await api('/stock/7', { headers: { traceparent } }),
      409,
      'OUT_OF_STOCK',
    )
    expect(problem.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
    expect(lines[0]?.['logging.googleapis.com/trace']).toBe(problem.traceId)
  })

  test('with a header that cannot be sent is a 500, and no hang', async () => {
    thrown = new Problem(own.OUT_OF_STOCK, { headers: { 'X-Note': 'two\r\nlines' } })
    await expectProblem(await api('/stock/7'), 500, 'INTERNAL')
  })
})

test('the instance is the path as it was sent', async () => {
  for (const path of ['/nowhere', '/no%20where', '/%zz', '/nö', '/a//b']) {
    const problem = await expectProblem(await api(`${path}?token=x`), 404, 'NOT_FOUND')
    expect(problem.instance).toBe(new URL(path, 'http://localhost').pathname)
  }
})

describe('the runtime’s own codes', () => {
  test('are named by themselves, and each says a status of 400 or above', () => {
    for (const [code, definition] of Object.entries(problems)) {
      expect(definition).toEqual({
        code,
        status: definition.status,
        title: expect.stringMatching(/^[A-Z].+\w$/),
      })
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
      expect(definition.status).toBeGreaterThanOrEqual(400)
      expect(definition.status).toBeLessThan(600)
    }
  })

  test('are a closed union, to which a feature adds its own', () => {
    expectTypeOf<'TOKEN_EXPIRED'>().toExtend<keyof typeof problems>()
    expectTypeOf<'OUT_OF_STOCK'>().not.toExtend<keyof typeof problems>()
    expectTypeOf(own.OUT_OF_STOCK).toEqualTypeOf<ProblemDefinition<'OUT_OF_STOCK'>>()
    expectTypeOf<keyof typeof own>().toEqualTypeOf<'OUT_OF_STOCK' | 'WAREHOUSE_CLOSED'>()
  })
})

test('a feature’s problems are in the contract, by code', async () => {
  const contract = await contractOf<{
    paths: Record<string, { get: { responses: Record<string, { content: object }> } }>
  }>(api)
  const responses = contract.paths['/stock/{id}']?.get.responses
  expect(responses?.[409]?.content).toEqual({
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      examples: {
        OUT_OF_STOCK: { summary: 'There is none left', value: expect.objectContaining({ status: 409 }) },
      },
    },
  })
  expect(JSON.stringify(responses?.[503])).toContain('WAREHOUSE_CLOSED')
})

test.each([200, 204, 399, 600, 409.5])(
  'a problem of the status %d is refused where it is defined',
  (status) => {
    expect(() => defineProblems({ ODD: { status, title: 'Odd' } })).toThrow(
      `The problem ODD has the status ${status}: it must be 400 to 599.`,
    )
  },
)

test.each(['', 'NOT FOUND', '1ST', 'a:b'])('the code %j is no part of a URN, and is refused', (code) => {
  expect(() => defineProblems({ [code]: { status: 404, title: 'Odd' } })).toThrow(
    `The problem "${code}" has a code that no URN can hold`,
  )
})

test('a problem without a title is refused by its code', () => {
  expect(() => defineProblems({ ODD: { status: 404, title: '' } })).toThrow('The problem ODD has no title')
})
