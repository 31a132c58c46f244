import { jwtVerify } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  call,
  callOperation,
  defineFeature,
  defineRoute,
  defineTask,
  enqueue,
  handle,
  json,
  jsonBody,
  type Task,
  z,
} from '#runtime'
import { expectJson, startTarget, taskService, testService } from '#test/kit'
import { noDatabase } from '#test/support/feature.ts'
import { testAuth } from '#test/support/tokens.ts'

// What a task calls: as whom, and how often.

const other = await startTarget()
const payload = z.object({ key: z.string().optional() })
const trial = (name: string, callerScopes?: readonly string[]) =>
  defineTask({
    ...{ name, payload, ...(callerScopes && { callerScopes }) },
    async run({ payload: { key } }) {
      const headers = { ...(key && { 'Idempotency-Key': key }) }
      await call(other.url, { method: 'POST', headers, as: 'caller' })
    },
  })
const allowed = trial('trial.allowed', ['stock:write', 'stock:read'])
const silent = trial('trial.silent')
const plain = defineTask({
  ...{ name: 'trial.plain', payload },
  run: async () => void (await call(other.url, { method: 'PUT' })),
})
const operation = defineTask({
  ...{ name: 'trial.operation', payload },
  run: async () => void (await callOperation('/../admin', { base: other.url })),
})
const tasks: readonly Task<typeof payload>[] = [allowed, silent, plain, operation]

const start = defineRoute({
  method: 'post',
  path: '/start',
  operationId: 'start',
  summary: 'Start a task',
  security: 'authenticated',
  request: { body: jsonBody(z.strictObject({ name: z.string() }).openapi({ example: { name: 'a.b' } })) },
  responses: { 200: json('It', z.object({}).openapi({ example: {} })) },
})
const feature = defineFeature({
  name: 'trial',
  description: 'Tasks that call.',
  tasks,
  routes: ({ database }) => [
    handle(start, async (c) => {
      const task = tasks.find(({ name }) => name === c.req.valid('json').name) ?? plain
      await database.transaction((tx) => enqueue(tx, task, {}))
      return c.json({}, 200)
    }),
  ],
})

describe('a task', async () => {
  const service = await taskService({ features: [feature] })
  const alice = await service.as('alice', ['orders:write'])
  const run = async ({ name }: Task) => {
    await expectJson(await alice('/start', { json: { name } }))
    await service.drain()
    return (await service.ledger()).at(-1)
  }
  beforeEach(() => {
    other.received.length = 0
    other.answers = []
  })

  test('acts as its caller by a token of five minutes, with the scopes that it states', async () => {
    expect(await run(allowed)).toMatchObject({ state: 'done' })
    const [call] = other.received
    const token = `${call?.headers.authorization}`.replace('Bearer ', '')
    const { issuer, audience } = testAuth
    const { payload } = await jwtVerify(token, new TextEncoder().encode(testAuth.secret), {
      issuer,
      audience,
    })
    expect(payload).toMatchObject({ sub: 'alice', scope: 'stock:write stock:read' })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300)
  })

  test('that states no scopes cannot, and nothing is sent', async () => {
    expect(await run(silent)).toMatchObject({ last_error: expect.stringContaining('give it callerScopes') })
    expect(other.received).toEqual([])
  })

  test('without a caller cannot either', async () => {
    await service.database.transaction((tx) => enqueue(tx, allowed, {}))
    await service.drain({ until: '40s' })
    expect((await service.ledger()).at(-1)).toMatchObject({
      last_error: expect.stringContaining("was enqueued without a caller: write as: 'service'"),
    })
    expect(other.received).toEqual([])
  })

  test('sends a call once in each attempt, and waits as Retry-After says', async () => {
    other.answers = [(_request, response) => void response.writeHead(503, { 'Retry-After': '120' }).end()]
    const before = await run(plain)
    expect(before).toMatchObject({ state: 'queued', attempts: 1 })
    expect(other.received).toHaveLength(1)
    const waitMs = (before?.due_at.getTime() ?? 0) - (before?.started_at?.getTime() ?? 0)
    expect(waitMs).toBeGreaterThanOrEqual(120_000)
    expect(waitMs).toBeLessThan(180_000)
  })

  test('is not led to another path by a value in it', async () => {
    expect(await run(operation)).toMatchObject({
      last_error: expect.stringContaining('a value in it is . or ..'),
    })
    expect(other.received).toEqual([])
  })
})

test('where a provider issues the tokens, a task that acts as its caller stops the start, and says what to write', async () => {
  const environment = {
    ...{ AUTH_SECRET: '', AUTH_JWKS_URL: 'https://id.example.com/keys' },
    ...{ AUTH_ISSUER: 'https://id.example.com', AUTH_AUDIENCE: 'orders' },
  }
  const options = { environment, databaseUrl: noDatabase }
  await expect(testService({ ...options, features: [feature] })).rejects.toThrow(
    "The task trial.allowed has callerScopes, but with AUTH_JWKS_URL only the provider can sign tokens for callers: remove callerScopes, write call(url, { as: 'service' })",
  )
})
