import { z } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { expect, test } from 'vitest'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { logged, serveThing, showThing, Thing, thingProblems } from '#test/support/thing.ts'

const listing = defineRoute({
  ...showThing,
  responses: { 200: json('The thing', Thing) },
  problems: [thingProblems.THING_TAKEN],
})
const throwing = (thrown: unknown) => (): never => {
  throw thrown
}

test('a problem that the route does not list is a 500 that names it, or a warning live', async () => {
  const message =
    'getThing responded with 410 and the problem THING_GONE, which its route does not list: add it to its `problems`'
  for (const thrown of [
    new Problem(thingProblems.THING_GONE),
    new Error('x', { cause: new Problem(thingProblems.THING_GONE) }),
  ]) {
    const strict = await serveThing('fail', handle(listing, throwing(thrown)))
    await expectProblem(await strict.api('/thing'), 500, 'INTERNAL')
    expect(logged(strict.lines, 'ERROR')).toContain(message)
    const live = await serveThing('strip', handle(listing, throwing(thrown)))
    await expectProblem(await live.api('/thing'), 410, 'THING_GONE')
    expect(logged(live.lines, 'WARNING')).toContain(message)
  }
})

test('a problem that only shares its status with a listed one is not listed', async () => {
  const thrown = new Problem(problems.IDEMPOTENCY_KEY_IN_USE)
  expect(thrown.definition.status).toBe(thingProblems.THING_TAKEN.status)
  const { api, lines } = await serveThing('fail', handle(listing, throwing(thrown)))
  await expectProblem(await api('/thing'), 500, 'INTERNAL')
  expect(logged(lines, 'ERROR')).toContain(
    'the problem IDEMPOTENCY_KEY_IN_USE, which its route does not list',
  )
})

test.each([
  [409, 'THING_TAKEN', new Problem(thingProblems.THING_TAKEN)],
  [503, 'OVERLOADED', new Problem(problems.OVERLOADED)],
  [400, 'VALIDATION_FAILED', new Problem(problems.VALIDATION_FAILED)],
  [400, 'MALFORMED_REQUEST', new HTTPException(400)],
] as const)('a %i that the route or the runtime lists goes out as it is', async (status, code, thrown) => {
  const { api, lines } = await serveThing('fail', handle(listing, throwing(thrown)))
  await expectProblem(await api('/thing'), status, code)
  expect(logged(lines, 'WARNING')).not.toContain('does not list')
})

test('a route may list problems by a range of statuses', async () => {
  const route = defineRoute({
    ...showThing,
    responses: {
      200: json('The thing', Thing),
      '4XX': {
        description: 'A problem',
        content: { 'application/problem+json': { schema: z.looseObject({}) } },
      },
    },
  })
  const { api } = await serveThing(
    'fail',
    handle(route, throwing(new Problem(thingProblems.THING_GONE)) as never),
  )
  await expectProblem(await api('/thing'), 410, 'THING_GONE')
})

test('a response of the route’s own and a problem of one status stand side by side in the contract', async () => {
  const route = defineRoute({
    ...showThing,
    responses: { 200: json('The thing', Thing), 400: json('What to choose from', Thing) },
  })
  const { api } = await serveThing(
    'fail',
    handle(route, (c) => c.json({ name: 'x' }, 400)),
  )
  expect((await api('/thing')).headers.get('content-type')).toBe('application/json')
  const contract = z
    .object({
      paths: z.record(z.string(), z.object({ get: z.object({ responses: z.record(z.string(), z.any()) }) })),
    })
    .parse(await expectJson(await api('/openapi.json')))
  const stated = contract.paths['/thing']?.get.responses['400']
  expect(Object.keys(stated.content)).toEqual(['application/problem+json', 'application/json'])
  expect(stated.description).toMatch(/^What to choose from `MALFORMED_REQUEST`/)
})
