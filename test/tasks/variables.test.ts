import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { describeConfig, parseConfig } from '#src/runtime/config/config.ts'
import { variablesOf } from '#src/runtime/feature.ts'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { problemsOf } from '#test/support/config.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { trialFeature } from './trial.ts'

const define = (name: string, variables = {}) =>
  defineTask({ name, payload: z.object({}), variables, async run() {} })
const work = define('trial.work')
const withTasks = variablesOf([notes, trialFeature({ tasks: [work] })])
const base = {
  TASKS_QUEUE: 'projects/p-1/locations/europe-west1/queues/default',
  TASKS_INVOKER: 'tasks@p-1.iam.gserviceaccount.com',
}
const needed = { ...base, TASKS_URL: 'https://orders-123.europe-west1.run.app' }
const cloudRun = {
  ...{ K_SERVICE: 'orders', K_REVISION: 'orders-1', ENVIRONMENT: 'staging', DATABASE_URL: noDatabase },
  AUTH_SECRET: 'b4Jq0Zr8Vt2Nw6Xy1Kd5Hg9Lm3Pc7Sf0',
}
const parse = (environment: Record<string, string>) =>
  parseConfig(environment, withTasks) as unknown as Record<string, unknown>

test('with tasks, all that they need is asked for at once, by name', () => {
  expect(problemsOf({}, withTasks)).toEqual([
    'TASKS_QUEUE: is required but not set',
    'TASKS_INVOKER: is required but not set',
    'TASKS_URL: or SERVICE_URL is required: the URL at which Cloud Tasks calls this service',
  ])
})

test('where no feature has tasks, none of it is', () => {
  expect(problemsOf({}, variablesOf([notes, featureOf()]))).toEqual([])
})

test('SERVICE_URL does in place of TASKS_URL', () => {
  expect(problemsOf({ ...base, SERVICE_URL: 'https://orders.example' }, withTasks)).toEqual([])
})

test('what is left out has Google’s values', () => {
  expect(parse(needed)).toMatchObject({
    TASKS_KEEP: 604_800,
    TASKS_PATIENCE: 3600,
    OIDC_ISSUERS: ['https://accounts.google.com', 'accounts.google.com'],
    OIDC_JWKS_URL: 'https://www.googleapis.com/oauth2/v3/certs',
  })
})

test.each([
  ['TASKS_QUEUE', 'default'],
  ['TASKS_QUEUE', 'projects/p/locations/l/queues/q/tasks/t'],
  ['TASKS_QUEUE', 'projects//locations/l/queues/q'],
  ['TASKS_INVOKER', 'tasks'],
  ['TASKS_INVOKER', 'a@b c'],
  ['TASKS_URL', 'orders.example'],
  ['TASKS_URL', 'ftp://orders.example'],
  ['TASKS_URL', 'https://orders.example/?a=1'],
  ['TASKS_URL', 'https://user@orders.example'],
  ['TASKS_KEEP', '-1'],
  ['TASKS_KEEP', 'a week'],
  ['TASKS_PATIENCE', '1.5'],
  ['OIDC_JWKS_URL', 'certs'],
  ['CLOUD_TASKS_EMULATOR_HOST', 'http://localhost:8123'],
  ['CLOUD_TASKS_EMULATOR_HOST', 'emulator'],
])('%s=%s is refused by name, without its value', (name, value) => {
  const problems = problemsOf({ ...needed, [name]: value }, withTasks)
  expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: must `))])
  if (value.length > 10) expect(problems[0]).not.toContain(value)
})

test('the base of the callbacks has no slash at its end', () => {
  expect(parse({ ...needed, TASKS_URL: 'https://orders.example/' }).TASKS_URL).toBe('https://orders.example')
})

const plain = {
  ...{ TASKS_URL: 'http://127.0.0.1:8080', TASKS_AUDIENCE: 'http://127.0.0.1:8080' },
  OIDC_ISSUERS: 'http://127.0.0.1:8123',
  OIDC_JWKS_URL: 'http://127.0.0.1:8123/oauth2/v3/certs',
  CLOUD_TASKS_EMULATOR_HOST: '127.0.0.1:8123',
}

test('plain http and an emulator are for development', () => {
  expect(problemsOf({ ...base, ...plain }, withTasks)).toEqual([])
})

describe('on Cloud Run, where callbacks could be forged, the service does not start', () => {
  const problems = (environment: Record<string, string>, variables = withTasks) =>
    problemsOf({ ...cloudRun, ...base, ...environment }, variables).map((problem) => problem.split(':', 1)[0])

  test('and all of it is said at once', () => {
    expect(problems(plain)).toEqual(Object.keys(plain))
    expect(problems({ ...plain, AUTH_SECRET: 'short' })).toEqual(['AUTH_SECRET', ...Object.keys(plain)])
  })

  test.each(Object.entries({ ...plain, OIDC_ISSUERS: 'https://accounts.google.com, HTTP://a.example' }))(
    '%s=%s',
    (name, value) => {
      expect(problems({ TASKS_URL: needed.TASKS_URL, [name]: value })).toEqual([name])
    },
  )

  test('with a SERVICE_URL that stands for TASKS_URL', () => {
    expect(problems({ SERVICE_URL: 'http://orders.example' })).toEqual(['SERVICE_URL'])
  })

  test('it does where all is as it should be, and where there are no tasks', () => {
    expect(problems(needed)).toEqual([])
    expect(problems(plain, variablesOf([notes]))).toEqual([])
  })
})

test('the start-up line shows them all, and what a task’s own variables allow', () => {
  const feature = trialFeature({
    tasks: [define('trial.own', { TRIAL_URL: z.string().meta({ shown: true }), TRIAL_KEY: z.string() })],
  })
  const variables = variablesOf([feature])
  const config = parseConfig({ ...needed, TRIAL_URL: 'https://a.example', TRIAL_KEY: 'hush' }, variables)
  expect(describeConfig(config, variables)).toMatchObject({
    ...needed,
    ...{ TASKS_KEEP: 604_800, TASKS_PATIENCE: 3600, TRIAL_URL: 'https://a.example', TRIAL_KEY: 'set' },
    OIDC_ISSUERS: ['https://accounts.google.com', 'accounts.google.com'],
    OIDC_JWKS_URL: 'https://www.googleapis.com/oauth2/v3/certs',
  })
})

test('a task’s own variables are required like a feature’s', () => {
  const feature = trialFeature({ tasks: [define('trial.own', { TRIAL_KEY: z.string() })] })
  expect(problemsOf(needed, variablesOf([feature]))).toEqual(['TRIAL_KEY: is required but not set'])
})

describe('the service does not start', () => {
  const start = (...features: ReturnType<typeof trialFeature>[]) =>
    testService({ databaseUrl: noDatabase, features, environment: testTasks })
  const schedule = { cron: '0 3 * * *', timeZone: 'UTC', payload: {} }

  test('with two tasks of one name', async () => {
    const twice = trialFeature({ tasks: [work, define('trial.work')] })
    await expect(start(twice)).rejects.toThrow('Two tasks have the name trial.work: rename one.')
  })

  test('with two schedules of one name', async () => {
    const nightly = () => defineSchedule({ ...schedule, name: 'trial.nightly', task: work })
    const twice = trialFeature({ tasks: [work], schedules: [nightly(), nightly()] })
    await expect(start(twice)).rejects.toThrow('Two schedules have the name trial.nightly: rename one.')
  })

  test.each([
    ['no feature lists', define('trial.unlisted')],
    ['is another one of the same name', define('trial.work')],
  ])('with a schedule whose task %s', async (_what, task) => {
    const nightly = defineSchedule({ ...schedule, name: 'trial.nightly', task })
    await expect(start(trialFeature({ tasks: [work], schedules: [nightly] }))).rejects.toThrow(
      `The schedule trial.nightly enqueues ${task.name}, which no feature lists: add it to the tasks of its feature.`,
    )
  })

  test('with a schedule where there are no tasks at all', async () => {
    const nightly = defineSchedule({ ...schedule, name: 'trial.nightly', task: work })
    await expect(start(trialFeature({ tasks: [], schedules: [nightly] }))).rejects.toThrow(
      'The schedule trial.nightly enqueues trial.work, which no feature lists: add it to the tasks of its feature.',
    )
  })

  test('but one task may be listed twice', async () => {
    await start(trialFeature({ tasks: [work, work] }))
  })
})
