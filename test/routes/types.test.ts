import { z } from '@hono/zod-openapi'
import type { ContextVariableMap, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { expect, expectTypeOf, test } from 'vitest'
import type { Caller } from '#src/runtime/auth/caller.ts'
import type { Config } from '#src/runtime/config/config.ts'
import type { Transaction } from '#src/runtime/database/database.ts'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineProblems, Problem, problems } from '#src/runtime/kernel/problem.ts'
import type { Log } from '#src/runtime/log/logger.ts'
import {
  defineRoute,
  handle,
  handlePlain,
  type PlainOperation,
  type RouteDefinition,
} from '#src/runtime/routes/route.ts'
import { thing } from './thing.ts'

// These hold when `tsc` passes: nothing here is called.

test('a response is stated where it is given: the contract has none to refer to', () => {
  const responses = { 404: { $ref: '#/components/responses/NotFound' } } as const
  // @ts-expect-error a reference states nothing that a response could be checked by
  expectTypeOf(responses).toExtend<RouteDefinition['responses']>()
  expectTypeOf(thing.responses).toExtend<RouteDefinition['responses']>()
})

test('a handler has its caller as the route states: always, maybe, never', () => {
  const secured = defineRoute({ ...thing, security: ['things:write'] })
  handle(secured, (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
    expectTypeOf(c.var.caller.scopes).toEqualTypeOf<readonly string[]>()
    return c.json({ name: c.var.caller.subject }, 200)
  })
  handle(defineRoute({ ...thing, security: 'authenticated' }), (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
    return c.json({ name: '' }, 200)
  })
  handle(defineRoute({ ...thing, security: 'optional' }), (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller | undefined>()
    // @ts-expect-error there may be none
    return c.json({ name: c.var.caller.subject }, 200)
  })
  handle(defineRoute({ ...thing, security: 'public' }), (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<undefined>()
    return c.json({ name: '' }, 200)
  })
})

test('a handler sees its own variables, and none of the pipeline’s', () => {
  type Seen<Variables> = Exclude<keyof Variables, keyof ContextVariableMap> // what Hono's middleware adds for everybody
  handle(defineRoute({ ...thing, security: ['things:write'], idempotent: true }), (c) => {
    expectTypeOf<Seen<typeof c.var> | 'requestId'>().toEqualTypeOf<
      'requestId' | 'log' | 'signal' | 'caller' | 'tx'
    >()
    return c.json({ name: '' }, 200)
  })
  handlePlain({ method: 'get', path: '/plain', security: 'public' }, (c) => {
    expectTypeOf<Seen<typeof c.var> | 'requestId'>().toEqualTypeOf<
      'requestId' | 'log' | 'signal' | 'caller'
    >()
    return c.text('')
  })
})

interface Account {
  readonly plan: 'free' | 'paid'
}
const loadAccount: MiddlewareHandler<{ Variables: { account: Account; caller: Caller } }> = async (
  c,
  next,
) => {
  c.set('account', { plan: c.var.caller.scopes.includes('paid') ? 'paid' : 'free' })
  await next()
}
const countPages = createMiddleware<{ Variables: { pages: number } }>((_c, next) => next())
const plainOne: MiddlewareHandler = (_c, next) => next()

test('a handler sees what its route’s own middleware is typed to set, beside what it has anyway', () => {
  const secured = { ...thing, security: ['things:write'], idempotent: true } as const
  handle(defineRoute({ ...secured, middleware: [loadAccount, plainOne, countPages] }), (c) => {
    expectTypeOf(c.var.account).toEqualTypeOf<Account>()
    expectTypeOf(c.var.pages).toEqualTypeOf<number>()
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
    expectTypeOf(c.var.tx).toEqualTypeOf<Transaction>()
    expectTypeOf(c.var.log).toEqualTypeOf<Log>()
    expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ name: string; at: Date }>()
    // @ts-expect-error none of them sets it
    c.var.other
    return c.json({ name: c.var.account.plan }, 200)
  })
  handle(defineRoute({ ...thing, security: 'public', middleware: countPages }), (c) => {
    expectTypeOf(c.var.pages).toEqualTypeOf<number>()
    expectTypeOf(c.var.caller).toEqualTypeOf<undefined>()
    // @ts-expect-error its route has another middleware
    c.var.account
    return c.json({ name: '' }, 200)
  })
  for (const middleware of [plainOne, [plainOne]])
    handle(defineRoute({ ...secured, middleware }), (c) => {
      // @ts-expect-error an untyped middleware sets nothing that is known
      c.var.account
      return c.json({ name: c.var.caller.subject }, 200)
    })
  handle(defineRoute({ ...secured, middleware: [plainOne] }), (c) => {
    // @ts-expect-error an untyped middleware sets nothing that is known
    c.var.account
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
    return c.json({ name: '' }, 200)
  })
})

test('a plain handler has its caller alike', () => {
  const plain = { method: 'get', path: '/' } as const
  handlePlain({ ...plain, security: ['a:b'] }, (c) => c.text(c.var.caller.subject))
  handlePlain({ ...plain, security: 'optional' }, (c) => {
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller | undefined>()
    return c.text('')
  })
  // @ts-expect-error nobody is known there
  handlePlain({ ...plain, security: 'public' }, (c) => c.text(c.var.caller.subject))
  expectTypeOf(handlePlain).returns.toEqualTypeOf<PlainOperation>()
})

test('a transaction is there on an idempotent route, and only there', () => {
  handle(defineRoute({ ...thing, security: ['a:b'], idempotent: true }), (c) => {
    expectTypeOf(c.var.tx).toEqualTypeOf<Transaction>()
    return c.json({ name: '' }, 200)
  })
  handle(defineRoute({ ...thing, security: ['a:b'] }), (c) => {
    // @ts-expect-error the route is not idempotent
    c.var.tx
    return c.json({ name: '' }, 200)
  })
})

test('every handler has the log, the signal and the request’s id', () => {
  handle(defineRoute({ ...thing, security: 'public' }), (c) => {
    expectTypeOf(c.var.log).toEqualTypeOf<Log>()
    expectTypeOf(c.var.signal).toEqualTypeOf<AbortSignal>()
    expectTypeOf(c.var.requestId).toEqualTypeOf<string>()
    return c.body(null, 204)
  })
})

test('a wrong status, body or content type does not compile', () => {
  const route = defineRoute({ ...thing, security: 'public' })
  handle(route, (c) => c.json({ name: '', size: 1 }, 201, { Location: '/' }))
  handle(route, async (c) => c.json({ name: '' }, 200))
  handle(route, (c) => c.body(null, 204))
  // @ts-expect-error 304 is not stated
  handle(route, (c) => c.body(null, 304))
  // @ts-expect-error a body is not stated
  handle(route, (c) => c.body('', 204))
  // @ts-expect-error nobody knows what is in it
  handle(route, () => new Response())
  // @ts-expect-error 202 is not stated
  handle(route, (c) => c.json({ name: '' }, 202))
  // @ts-expect-error a name is missing
  handle(route, (c) => c.json({ size: 1 }, 200))
  // @ts-expect-error a name is a text
  handle(route, (c) => c.json({ name: 7 }, 200))
  // @ts-expect-error text is not stated
  handle(route, (c) => c.text('', 200))
  // @ts-expect-error nothing is answered
  handle(route, () => {})
})

test('a route that forgets what it must state does not compile', () => {
  const { summary: _summary, ...unnamed } = thing
  // @ts-expect-error the security is missing
  defineRoute(thing)
  // @ts-expect-error a scope stands in a list
  defineRoute({ ...thing, security: 'things:write' })
  // @ts-expect-error no scope is in the list
  defineRoute({ ...thing, security: [] })
  // @ts-expect-error the summary is missing
  defineRoute({ ...unnamed, security: 'public' })
  // @ts-expect-error there is no such method in OpenAPI
  defineRoute({ ...thing, security: 'public', method: 'fetch' })
  // @ts-expect-error a plain route states its security as well
  handlePlain({ method: 'get', path: '/' }, () => new Response())
  expectTypeOf<RouteDefinition['security']>().not.toEqualTypeOf<string>()
})

test('a feature’s own variables have their types beside the runtime’s', () => {
  defineFeature({
    name: 'notes',
    description: 'Notes.',
    variables: { NOTES_LIMIT: z.coerce.number(), NOTES_KEY: z.string().optional() },
    routes({ config }) {
      expectTypeOf(config.NOTES_LIMIT).toEqualTypeOf<number>()
      expectTypeOf(config.NOTES_KEY).toEqualTypeOf<string | undefined>()
      expectTypeOf(config.ENVIRONMENT).toEqualTypeOf<'development' | 'staging' | 'live'>()
      // @ts-expect-error nobody defines it
      config.NOTES_OTHER
      return []
    },
  })
  expectTypeOf<Config['CORS_ORIGINS']>().toEqualTypeOf<'*' | string[] | undefined>()
  expectTypeOf<Config['REPLY_CHECK']>().toEqualTypeOf<'strip' | 'fail'>()
  expectTypeOf<Config['LOG_LEVEL']>().toEqualTypeOf<'debug' | 'info' | 'warn' | 'error' | 'silent'>()
})

test('the codes of problems are a closed list, and a feature’s own are typed', () => {
  const own = defineProblems({ THING_TAKEN: { status: 409, title: 'The thing is taken' } })
  expectTypeOf(own.THING_TAKEN.code).toEqualTypeOf<'THING_TAKEN'>()
  expectTypeOf<'TOKEN_EXPIRED'>().toExtend<keyof typeof problems>()
  expectTypeOf<string>().not.toExtend<keyof typeof problems>()
  // @ts-expect-error nobody defines it
  const other = () => new Problem(problems.THING_TAKEN)
  expectTypeOf(other).returns.toEqualTypeOf<Problem>()
  // @ts-expect-error a problem has a status
  const without = () => defineProblems({ THING_TAKEN: { title: 'The thing is taken' } })
  expect(without).toThrow('has the status undefined')
})
