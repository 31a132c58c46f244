import { z } from '@hono/zod-openapi'
import { describe, expect, test } from 'vitest'
import {
  type Config,
  ConfigError,
  completeConfig,
  createDatabase,
  createLogger,
  defineFeature,
  defineTask,
  type Feature,
  parseConfig,
  variablesOf,
} from '#runtime'
import { createApp } from '#src/app.ts'
import { defineRoute, handle, json } from '#src/runtime/routes/route.ts'
import { problemsOf } from '#test/support/config.ts'
import { expectJson } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'
import { testTasks } from '#test/support/task-variables.ts'

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

describe('createApp parses the variables of the features that it mounts', () => {
  const Empty = z.object({})
  const work = defineTask({
    name: 'notes.work',
    payload: Empty,
    variables: { WORK_URL: z.url() },
    async run() {},
  })
  const more = defineFeature({
    ...notes,
    tasks: [work],
    variables: { ...notes.variables, NOTES_KEY: z.string() },
  })
  const log = createLogger({ level: 'silent', service: 'test', output: { write() {} } })
  const database = createDatabase({ url: undefined, pool: 1, timeoutSeconds: 1, name: 'test', log })
  const start = (config: Config, ...features: Feature[]) => createApp({ config, database, log, features })

  test('where its configuration was parsed without them', async () => {
    const app = start(parseConfig({ NOTES_LIMIT: '3', DATABASE_POOL: '4' }), notes)
    expect(await (await app.request('/limits')).json()).toEqual({ notes: 3, pool: 4 })
  })

  test('or for other features, one of which has another variable of the same name', async () => {
    const config = parseConfig({ NOTES_LIMIT: '3' }, [{ NOTES_LIMIT: z.string() }])
    expect(config).toMatchObject({ NOTES_LIMIT: '3' })
    const app = start(config, notes)
    expect(await (await app.request('/limits')).json()).toEqual({ notes: 3, pool: 10 })
  })

  test('and names all that is missing or wrong at once, those of tasks as well', () => {
    const config = parseConfig({ NOTES_LIMIT: '0', WORK_URL: 'hunter2' })
    expect(() => start(config, more)).toThrow(
      new ConfigError([
        'TASKS_QUEUE: is required but not set',
        'TASKS_INVOKER: is required but not set',
        'NOTES_LIMIT: Too small: expected number to be >=1',
        'NOTES_KEY: is required but not set',
        'WORK_URL: Invalid URL',
        'TASKS_URL: or SERVICE_URL is required: the URL at which Cloud Tasks calls this service',
      ]),
    )
  })

  test('parses nothing again that was parsed before', () => {
    const set = { ...testTasks, NOTES_KEY: 'a', WORK_URL: 'https://work.example' }
    const config = parseConfig(set, variablesOf([more]))
    expect(completeConfig(config, variablesOf([more]))).toBe(config)
    expect(completeConfig(config, variablesOf([notes]))).toBe(config)
    const other = [{ OTHER: z.string().default('b') }]
    expect(completeConfig(config, other)).toEqual(parseConfig(set, other))
  })

  test('a copy of a configuration could lack one, and is refused', () => {
    expect(() => start({ ...parseConfig({}) }, notes)).toThrow(
      'The configuration is not one that parseConfig returned. Give parseConfig the variables that you want to set.',
    )
  })
})

test('a task’s variable is not another one than its feature’s of the same name', () => {
  const variables = { NOTES_KEY: z.string().optional() }
  const work = defineTask({ name: 'notes.work', payload: z.object({}), variables, async run() {} })
  const feature = defineFeature({ ...notes, tasks: [work], variables: { NOTES_KEY: z.string() } })
  expect(() => parseConfig({}, variablesOf([feature]))).toThrow(
    'The variable NOTES_KEY is defined twice: rename one.',
  )
  const shared = defineFeature({ ...notes, tasks: [work], variables })
  expect(parseConfig(testTasks, variablesOf([shared]))).not.toHaveProperty('NOTES_KEY')
})

test.each([
  [
    'z.number()',
    z.number(),
    'MINE: Invalid input: expected number, received string. Its schema takes no text: write integer()',
  ],
  [
    'z.boolean()',
    z.boolean(),
    'MINE: Invalid input: expected boolean, received string. Its schema takes no text: write integer(), flag()',
  ],
  [
    'z.array()',
    z.array(z.string()),
    'MINE: Invalid input: expected array, received string. Its schema takes no text',
  ],
])('%s takes no text, which is all that an environment holds', (_name, schema, words) => {
  expect(problemsOf({ MINE: '5' }, [{ MINE: schema }])).toEqual([expect.stringContaining(words)])
})

test('a number that is none is not said to take no text', () => {
  expect(problemsOf({ MINE: 'x' }, [{ MINE: z.coerce.number() }]).join()).not.toContain('takes no text')
})

test.each([
  [
    'z.coerce.boolean()',
    z.coerce.boolean(),
    'The variable MINE takes any text as true, even "false": write flag().',
  ],
  [
    'z.coerce.boolean() with a default',
    z.coerce.boolean().default(true),
    'The variable MINE takes any text as true',
  ],
  [
    'an asynchronous refinement',
    z.string().refine(async () => true),
    'The variable MINE is checked asynchronously',
  ],
])('%s is refused by the variable’s name', (_name, schema, words) => {
  expect(() => parseConfig({ MINE: 'false' }, [{ OTHER: z.string().optional() }, { MINE: schema }])).toThrow(
    words,
  )
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
