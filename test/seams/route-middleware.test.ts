import type { MiddlewareHandler } from 'hono'
import { expect, expectTypeOf, test } from 'vitest'
import { type Caller, defineFeature, defineRoute, handle, json, Problem, statusProblems, z } from '#runtime'
import { as, expectJson, expectProblem, noDatabase, testService } from '#test/kit'

interface Account {
  readonly owner: string
  readonly plan: 'free' | 'paid'
}
const accounts = new Map<string, Account>([['alice', { owner: 'alice', plan: 'paid' }]])

const loadAccount: MiddlewareHandler<{ Variables: { account: Account; caller: Caller } }> = async (
  c,
  next,
) => {
  const account = accounts.get(c.var.caller.subject)
  if (!account) throw new Problem(statusProblems.FORBIDDEN)
  c.set('account', account)
  await next()
}
const showPlan = defineRoute({
  method: 'get',
  path: '/plan',
  operationId: 'showPlan',
  summary: 'Show one’s plan',
  security: ['plan:read'],
  middleware: [loadAccount],
  responses: { 200: json('The plan', z.object({ plan: z.string() })) },
  problems: [statusProblems.FORBIDDEN],
})
const plans = defineFeature({
  name: 'plans',
  description: 'Plans.',
  routes: () => [handle(showPlan, (c) => c.json({ plan: c.var.account.plan }, 200))],
})

test('a handler has what its route’s own middleware has loaded', async () => {
  const { api } = await testService({ databaseUrl: noDatabase, features: [plans] })
  const of = async (subject: string) => api('/plan', { headers: await as(subject, ['plan:read']) })
  expect(await expectJson(await of('alice'))).toEqual({ plan: 'paid' })
  await expectProblem(await of('bob'), 403, 'FORBIDDEN')
})

test('and has it typed', () => {
  handle(showPlan, (c) => {
    expectTypeOf(c.var.account).toEqualTypeOf<Account>()
    expectTypeOf(c.var.caller).toEqualTypeOf<Caller>()
    return c.json({ plan: '' }, 200)
  })
})
