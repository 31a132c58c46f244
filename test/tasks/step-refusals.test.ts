import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Transaction } from '#src/runtime/database/database.ts'
import type { Attempt } from '#src/runtime/tasks/task.ts'
import { failing, stepsTrial, write } from './steps-trial.ts'

// Steps that may not be written, or may not be.

const { drain, enqueueWork, ledger, query, script, seen, steps, written } = await stepsTrial()

describe('a lost lease', () => {
  const stealAnd = async <Value>(value: Value) => {
    await query(
      "update runtime.tasks set lease = gen_random_uuid(), leased_until = runtime.service_now() + interval '30 s'",
    )
    return value
  }

  test.each<[string, (attempt: Attempt) => Promise<unknown>]>([
    ['a result', ({ step }) => step('one', z.int(), () => stealAnd(1))],
    ['an effect', ({ step }) => step('one', () => stealAnd((tx: Transaction) => tx.execute(write('one'))))],
    ['a cursor', ({ step }) => step('one', async ({ save }) => save(await stealAnd(1)), { cursor: z.int() })],
    ['a sleep', async ({ sleep }) => sleep('one', await stealAnd('1h' as const))],
    ['a failure', ({ step }) => step('one', async () => failing(await stealAnd(1))())],
  ])('writes nothing: %s', async (_what, run) => {
    script.run = run
    await enqueueWork()
    await drain()
    expect([await steps(), await written()]).toEqual([[], []])
    expect(await ledger()).toMatchObject([{ state: 'running', attempts: 1, errors: [] }])
  })
})

describe('a refusal', () => {
  const rest = async () => {}
  let late: Attempt['step']

  test.each<[string, (attempt: Attempt) => Promise<unknown>, string]>([
    [
      'a name that is used twice',
      async ({ step }) => [await step('one', rest), await step('one', rest)],
      'this name is used twice in one run. In a loop, add a number to it, such as page-3.',
    ],
    [
      'a step inside a step',
      ({ step }) => step('one', () => step('two', rest)),
      'The task trial.work, step two: it was called while one was running. Await each step before the next.',
    ],
    [
      'a step of the same name inside a step',
      ({ step }) => step('one', () => step('one', rest)),
      'it was called while one was running',
    ],
    [
      'steps side by side',
      ({ step }) => Promise.all([step('one', rest), step('two', rest)]),
      'it was called while one was running',
    ],
    [
      'a step that run does not await',
      async ({ step }) => void step('one', rest),
      'run has returned before this step had ended. Await each step.',
    ],
    [
      'a second step that run does not await',
      async ({ step }) => {
        await step('one', rest)
        void step('two', () => new Promise<void>(() => {}))
      },
      'step two: run has returned before this step had ended. Await each step.',
    ],
    [
      'a name with a space',
      ({ step }) => step('step one', rest),
      'a name is 1 to 100 letters, digits and _ . / @ + -',
    ],
    ['a name like that of a wait', ({ step }) => step('a:b', rest), 'a name is 1 to 100 letters'],
    [
      'a result above 256 KiB',
      ({ step }) => step('one', z.string(), async () => 'x'.repeat(256 * 1024)),
      'its result has 257 KiB, and may have 256. Store it elsewhere, and return where it is.',
    ],
    [
      'a result with a NUL character',
      ({ step }) => step('one', z.string(), async () => 'a\\\0b'),
      'its result has a NUL character, which PostgreSQL cannot store in JSON.',
    ],
    [
      'a result that is cut within a character',
      ({ step }) => step('one', z.array(z.string()), async () => ['😀'.slice(0, 1)]),
      'its result has half of a character (\\ud83d), which PostgreSQL cannot store in JSON.',
    ],
    [
      'a schema that JSON cannot hold',
      ({ step }) => step('one', z.date(), async () => new Date()),
      'step one: its result cannot be stored (the top level)',
    ],
    [
      'a result that may be absent',
      ({ step }) => step('one', z.string().optional(), async () => undefined),
      'its result cannot be stored (the top level): undefined is stored as null. Write .nullable() and return null, or leave the schema out if there is never a result.',
    ],
    [
      'a schema of no result',
      ({ step }) => step('one', z.void(), rest),
      'undefined is stored as null. Write .nullable() and return null, or leave the schema out',
    ],
    [
      'a cursor that may be absent',
      ({ step }) => step('one', rest, { cursor: z.int().optional() }),
      'its cursor cannot be stored (the top level): undefined is stored as null. Write .nullable(), and save null.',
    ],
    [
      'results above 4 MiB together',
      async ({ step }) => {
        for (let n = 0; n < 17; n++) await step(`s${n}`, z.string(), async () => 'x'.repeat(250 * 1024))
      },
      'all results of a task may have 4 MiB together',
    ],
  ])('%s kills the task, and says what to write instead', async (_what, run, words) => {
    script.run = run
    await enqueueWork()
    await drain({ until: '1h' })
    expect(await ledger()).toMatchObject([{ state: 'dead', last_error: expect.stringContaining(words) }])
  })

  test('a step after the end of its attempt writes nothing', async () => {
    script.run = async ({ step }) => {
      late = step
    }
    await enqueueWork()
    await drain()
    await expect(late('late', async () => void seen.push('late'))).rejects.toThrow(
      'it was called after its attempt had ended',
    )
    expect([seen, await steps()]).toEqual([[], []])
  })

  test('a task has 1,000 steps at most', async () => {
    script.run = async ({ step }) => {
      await step('first', rest)
      await query(`insert into runtime.steps (task_id, name, kind, started_at)
        select id, 'old-' || n, 'step', now() from runtime.tasks, generate_series(1, 999) as n`)
      throw new Error('next attempt')
    }
    await enqueueWork()
    await drain()
    script.run = async ({ step }) => {
      await step('first', rest)
      await step('old-1', rest)
      await step('one-more', rest)
    }
    await drain({ until: '1m' })
    expect(await ledger()).toMatchObject([
      { state: 'dead', last_error: expect.stringContaining('a task may have 1,000 steps') },
    ])
  })

  test('a result that its schema does not take fails the try', async () => {
    script.run = ({ step }) => step('one', z.object({ id: z.int() }), async () => ({ id: 'x' }) as never)
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([
      {
        state: 'queued',
        attempts: 1,
        last_error: expect.stringContaining('its result does not match its schema'),
      },
    ])
  })
})
