import { z } from '@hono/zod-openapi'
import { expectTypeOf, test } from 'vitest'
import { defineRoute, handle } from '#src/runtime/routes/route.ts'
import { thing } from './thing.ts'

// These hold when `tsc` passes: nothing here is called.

test('what was valid has its type, after its transformation', () => {
  handle(defineRoute({ ...thing, security: 'public' }), (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string; at: Date }>()
    expectTypeOf(c.req.valid('param')).toEqualTypeOf<{ id: string }>()
    expectTypeOf(c.req.valid('query')).toEqualTypeOf<{ limit: number; word?: string | undefined }>()
    expectTypeOf(c.req.valid('header')).toEqualTypeOf<{ 'if-match'?: string | undefined }>()
    // @ts-expect-error the route takes no form
    c.req.valid('form')
    return c.json({ name: '' }, 200)
  })
})

test('a body may be undefined where it need not be there, or may be of another type', () => {
  const Name = z.strictObject({ name: z.string() })
  const bodied = <const Body>(body: Body) =>
    ({ ...thing, path: '/', security: 'public', request: { body } }) as const
  const JsonContent = { 'application/json': { schema: Name } }
  const both = { ...JsonContent, 'multipart/form-data': { schema: z.strictObject({ size: z.string() }) } }

  handle(defineRoute(bodied({ content: JsonContent })), (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string } | undefined>()
    return c.body(null, 204)
  })
  handle(defineRoute(bodied({ required: false, content: JsonContent })), (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string } | undefined>()
    return c.body(null, 204)
  })
  handle(defineRoute(bodied({ required: true, content: JsonContent })), (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string }>()
    // @ts-expect-error no text is taken
    c.req.valid('text')
    return c.body(null, 204)
  })
  handle(defineRoute(bodied({ required: true, content: both })), (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string } | undefined>()
    expectTypeOf(c.req.valid('form')).toEqualTypeOf<{ size: string } | undefined>()
    return c.body(null, 204)
  })
  const merge = {
    ...JsonContent,
    'application/merge-patch+json': { schema: z.strictObject({ at: z.int() }) },
  }
  handle(defineRoute(bodied({ required: true, content: merge })), (c) => {
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string } | { at: number }>()
    return c.body(null, 204)
  })
})

test('a text is valid where a schema stands, and what has none is the handler’s to read', () => {
  const common = { ...thing, path: '/', security: 'public' } as const
  const csv = { 'text/csv': { schema: z.string().transform((text) => text.split('\n')) } }
  handle(defineRoute({ ...common, request: { body: { required: true, content: csv } } }), (c) => {
    expectTypeOf(c.req.valid('text')).toEqualTypeOf<string[]>()
    // @ts-expect-error no JSON is taken
    c.req.valid('json')
    return c.body(null, 204)
  })
  const either = { ...csv, 'image/*': {} }
  handle(defineRoute({ ...common, request: { body: { required: true, content: either } } }), (c) => {
    expectTypeOf(c.req.valid('text')).toEqualTypeOf<string[] | undefined>()
    return c.body(null, 204)
  })
  handle(
    defineRoute({ ...common, request: { body: { required: true, content: { 'image/*': {} } } } }),
    (c) => {
      // @ts-expect-error nothing checks it
      c.req.valid('text')
      expectTypeOf(c.req.arrayBuffer()).toEqualTypeOf<Promise<ArrayBuffer>>()
      return c.body(null, 204)
    },
  )
})
