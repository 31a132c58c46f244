import { sql } from 'drizzle-orm'
import pg from 'pg'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { Transaction } from '#src/runtime/database/database.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { type Attempt, defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { trial } from './trial.ts'

// A task of several steps: each runs until it has succeeded once.

let behave: (attempt: Attempt) => Promise<unknown> = async () => {}
const seen: string[] = []
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 3, backoff: { min: '5s', max: '5s' } },
  run: async (attempt) => (await behave(attempt)) as undefined,
})

const service = await trial({ tasks: [work] })
const { request, ledger, drain, lines, query } = service
const enqueueWork = () => request((tx) => enqueue(tx, work, {}))
const steps = () => query('select * from runtime.steps order by position')
const written = async () => (await query('select text from test_notes order by text')).map(({ text }) => text)
const write = (text: string) =>
  sql`insert into test_notes (id, owner, text, pages) values (gen_random_uuid(), 'work', ${text}, 1)`
/** Fails as often as this, then does no harm. */
const failing = (times: number) => () => {
  if (times-- > 0) throw new Error('not yet')
}

beforeEach(async () => {
  await service.clear()
  await query('delete from test_notes')
  seen.length = 0
})

describe('a step', () => {
  test('runs once; an attempt that comes later gets its result, as the schema makes it', async () => {
    const fail = failing(2)
    const schema = z.object({ at: z.iso.datetime().transform((text) => new Date(text)) })
    const results: unknown[] = []
    behave = async ({ step, attempt }) => {
      results.push(
        await step('fetch', schema, async () => {
          seen.push(`fetch in ${attempt}`)
          return { at: '2026-11-29T00:00:00.000Z' }
        }),
      )
      fail()
    }
    const { id } = await enqueueWork()
    await drain({ until: '1h' })
    expect(seen).toEqual(['fetch in 1'])
    expect(results).toEqual(Array(3).fill({ at: new Date('2026-11-29T00:00:00.000Z') }))
    expect(await ledger()).toMatchObject([{ id, state: 'done', attempts: 3 }])
    expect(await steps()).toMatchObject([
      { task_id: id, name: 'fetch', kind: 'step', tries: 1, result: { at: '2026-11-29T00:00:00.000Z' } },
    ])
  })

  test('that returns a function commits its writes and its result together, and once', async () => {
    const fail = failing(2)
    let result: number | undefined
    behave = async ({ step }) => {
      result = await step('reserve', z.int(), async () => async (tx) => {
        await tx.execute(write('reserved'))
        fail()
        return 7
      })
      return async (tx: { execute: (text: unknown) => Promise<unknown> }) => tx.execute(write('done'))
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect(result).toBe(7)
    expect(await written()).toEqual(['done', 'reserved'])
    expect(await steps()).toMatchObject([{ name: 'reserve', result: 7, tries: 3, last_error: null }])
  })

  test('that returns nothing needs no schema', async () => {
    const fail = failing(1)
    behave = async ({ step }) => {
      const nothing: undefined = (await step('mail', async () => void seen.push('mail'))) as undefined
      expect(nothing).toBeUndefined()
      await step('note', async () => (tx) => tx.execute(write('note')))
      fail()
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect([seen, await written()]).toEqual([['mail'], ['note']])
  })

  test('has an idempotency key of its own, the same for all its tries, and the signal of the attempt', async () => {
    const fail = failing(2)
    behave = async ({ step, signal }) => {
      await step('pay', async (run) => {
        expect(run.signal).toBe(signal)
        seen.push(run.idempotencyKey)
        fail()
      })
    }
    const { id } = await enqueueWork()
    await drain({ until: '1h' })
    expect(seen).toEqual(Array(3).fill(`${id}:pay`))
  })

  test('writes its end to the log, with the trace of the request that enqueued the task', async () => {
    behave = async ({ step }) => void (await step('pay', async () => {}))
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await request((tx) => enqueue(tx, work, {}), { traceparent })
    await drain()
    expect(lines.find(({ step }) => step)).toMatchObject({
      severity: 'INFO',
      message: expect.stringMatching(/^trial\.work: the step pay is done after \d+ ms$/),
      step: { name: 'pay', tookMs: expect.any(Number) },
      'logging.googleapis.com/trace': '4bf92f3577b34da6a3ce929d0e0e4736',
    })
  })

  test('may be added, deleted and put elsewhere under a task that runs', async () => {
    const log = (name: string) => async () => void seen.push(name)
    behave = async ({ step }) => {
      await step('one', log('one'))
      await step('two', log('two'))
      throw new Error('then a deploy')
    }
    await enqueueWork()
    await drain()
    behave = async ({ step }) => {
      await step('zero', log('zero'))
      await step('two', log('two'))
      await step('three', log('three'))
    }
    await drain({ until: '1h' })
    expect(seen).toEqual(['one', 'two', 'zero', 'three'])
  })
})

describe('attempts', () => {
  test('are those since the last step that was finished: a long task may fail often', async () => {
    const [first, second, third] = [failing(2), failing(2), failing(2)]
    const attempts: number[] = []
    behave = async ({ step, attempt }) => {
      attempts.push(attempt)
      await step('one', async () => first())
      await step('two', async () => second())
      third()
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect(attempts).toEqual([1, 2, 3, 2, 3, 2, 3])
    expect(await ledger()).toMatchObject([{ state: 'done' }])
  })

  test('that fail in the same step kill the task when none is left', async () => {
    behave = async ({ step }) => {
      await step('one', async () => {})
      await step('two', async () => failing(9)())
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect(await ledger()).toMatchObject([{ state: 'dead', attempts: 3, last_error: 'Error: not yet' }])
    expect(await steps()).toMatchObject([
      { name: 'one', tries: 1 },
      { name: 'two', tries: 3, last_error: 'Error: not yet', finished_at: null },
    ])
  })

  test('a step may say its own retry, with more attempts than the task, or fewer', async () => {
    const fail = failing(5)
    behave = async ({ step }) => {
      await step('often', async () => fail(), { retry: { attempts: 6, backoff: { min: '1m', max: '1m' } } })
      await step('once', async () => failing(1)(), { retry: { attempts: 1 } })
    }
    await enqueueWork()
    await drain()
    const [row] = await ledger()
    const wait = Number(row?.due_at) - Number(row?.touched_at)
    expect(wait >= 0 && wait <= 60_000).toBe(true)
    await drain({ until: '1h' })
    expect(await ledger()).toMatchObject([{ state: 'dead' }])
    expect(await steps()).toMatchObject([
      { name: 'often', tries: 6, max_tries: null },
      { name: 'once', tries: 1, max_tries: 1 },
    ])
  })

  test('a fatal error in a step kills the task at once', async () => {
    behave = async ({ step }) => {
      await step('one', async () => {
        throw fatal('no such file')
      })
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect(await ledger()).toMatchObject([{ state: 'dead', attempts: 1 }])
  })

  test('an error of a step ends the attempt, even if run catches it', async () => {
    const fail = failing(1)
    behave = async ({ step }) => {
      await step('one', async () => fail()).catch(() => {})
      await step('two', async () => void seen.push('two')).catch(() => {})
    }
    await enqueueWork()
    await drain()
    expect(seen).toEqual([])
    await drain({ until: '1h' })
    expect(seen).toEqual(['two'])
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1 }])
  })
})

describe('save', () => {
  test('keeps how far a step has come, and commits writes with it', async () => {
    const fail = failing(4)
    behave = async ({ step }) => {
      await step(
        'pages',
        z.int(),
        async ({ cursor = 0, save }) => {
          for (let page = cursor; page < 6; page++) {
            await save(page + 1, (tx) => tx.execute(write(`page ${page}`)))
            if (page > 0) fail()
          }
          return 6
        },
        { cursor: z.int() },
      )
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect(await written()).toEqual([0, 1, 2, 3, 4, 5].map((page) => `page ${page}`))
    expect(await ledger()).toMatchObject([{ state: 'done' }]) // it failed more often than a task may: each time it had come further
    expect(await steps()).toMatchObject([{ name: 'pages', result: 6, cursor: null, tries: 5 }])
  })

  test('of the same place is no progress: a task that stays there dies', async () => {
    behave = async ({ step }) => {
      await step(
        'pages',
        async ({ save }) => {
          await save({ page: 1 })
          throw new Error('stuck')
        },
        { cursor: z.object({ page: z.int() }) },
      )
    }
    await enqueueWork()
    await drain({ until: '1h' })
    expect(await ledger()).toMatchObject([{ state: 'dead' }])
  })

  test('needs the schema of what it stores', async () => {
    behave = async ({ step }) => void (await step('pages', (run) => run.save(1 as never)))
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([
      { last_error: expect.stringContaining('save needs the option cursor') },
    ])
  })
})

describe('a sleep', () => {
  test('gives the task back until it is over, and counts no attempt', async () => {
    const fail = failing(2)
    behave = async ({ step, sleep, attempt }) => {
      await step('before', async () => void seen.push('before'))
      fail()
      await sleep('cool-off', '3d')
      seen.push(`after in ${attempt}`)
    }
    await enqueueWork()
    expect(await drain({ until: '1h' })).toMatchObject(Array(3).fill({ status: 200 }))
    expect(await ledger()).toMatchObject([
      {
        state: 'queued',
        attempts: 0,
        lease: null,
        leased_until: null,
        last_error: null,
        waits_for: 'cool-off',
      },
    ])
    await service.advance('71h')
    await service.tick()
    await drain()
    expect(seen).toEqual(['before'])
    await drain({ until: '2h' })
    expect(seen).toEqual(['before', 'after in 1'])
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1, waits_for: null }])
    expect(lines.filter(({ severity }) => severity === 'WARNING')).toHaveLength(2) // the two failures
  })

  test('may last longer than Cloud Tasks keeps a task', async () => {
    behave = async ({ sleep }) => {
      await sleep('long', '60d')
      seen.push('awake')
    }
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([{ state: 'pending' }])
    await service.advance('32d')
    await service.tick()
    await service.advance('27d')
    await drain()
    expect(seen).toEqual([])
    await drain({ until: '2d' })
    expect(seen).toEqual(['awake'])
  })

  test('ends at a time, and goes on if the task is woken before', async () => {
    const [{ now }] = (await query('select runtime.service_now() as now')) as [{ now: Date }]
    behave = async ({ sleep }) => {
      await sleep('until', new Date(now.getTime() + 3_600_000))
      seen.push('awake')
    }
    const { id } = await enqueueWork()
    await drain()
    await query("update runtime.tasks set due_at = runtime.service_now(), state = 'pending', dispatch = 7")
    await service.callback({ name: work.name, id, dispatch: 7 })
    expect(await ledger()).toMatchObject([
      { state: 'queued', dispatch: 8, due_at: new Date(now.getTime() + 3_600_000) },
    ])
    await service.advance('59m')
    await drain()
    expect(seen).toEqual([])
    await drain({ until: '2m' })
    expect(seen).toEqual(['awake'])
  })

  test('many of them use up no attempts', async () => {
    behave = async ({ sleep }) => {
      for (let turn = 0; turn < 10; turn++) await sleep(`turn-${turn}`, '10m')
      seen.push('awake')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(await ledger()).toMatchObject([{ state: 'done', attempts: 1, dispatch: 11 }])
    expect(seen).toEqual(['awake'])
  })

  test('cannot be caught: an attempt that goes on after it is not done', async () => {
    behave = async ({ sleep, step }) => {
      await sleep('nap', '1h').catch(() => {})
      await step('next', async () => void seen.push('next')).catch(() => {})
    }
    await enqueueWork()
    await drain()
    expect([seen, await ledger()]).toMatchObject([[], [{ state: 'queued', waits_for: 'nap' }]])
    behave = async ({ sleep, step }) => {
      await sleep('nap', '1h').catch((cause) => {
        throw new Error('it seems to have failed', { cause })
      })
      await step('next', async () => void seen.push('next'))
    }
    await drain({ until: '2h' })
    expect([seen, await ledger()]).toMatchObject([['next'], [{ state: 'done', attempts: 1 }]])
  })

  test('a task that was cancelled while it sleeps does not wake', async () => {
    behave = async ({ sleep }) => {
      await sleep('nap', '1h')
      seen.push('awake')
    }
    const { id } = await enqueueWork()
    await drain()
    const olga = await service.as('olga', ['runtime:admin'])
    expect((await olga(`/runtime/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    await drain({ until: '2h' })
    expect([seen, await ledger()]).toMatchObject([[], [{ state: 'cancelled' }]])
  })
})

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
    behave = run
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
      'a schema that JSON cannot hold',
      ({ step }) => step('one', z.date(), async () => new Date()),
      'step one: its result cannot be stored (the top level)',
    ],
    [
      'results above 4 MiB together',
      async ({ step }) => {
        for (let n = 0; n < 17; n++) await step(`s${n}`, z.string(), async () => 'x'.repeat(250 * 1024))
      },
      'all results of a task may have 4 MiB together',
    ],
  ])('%s kills the task, and says what to write instead', async (_what, run, words) => {
    behave = run
    await enqueueWork()
    await drain({ until: '1h' })
    expect(await ledger()).toMatchObject([{ state: 'dead', last_error: expect.stringContaining(words) }])
  })

  test('a step after the end of its attempt writes nothing', async () => {
    behave = async ({ step }) => {
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
    behave = async ({ step }) => {
      await step('first', rest)
      await query(`insert into runtime.steps (task_id, name, kind, started_at)
        select id, 'old-' || n, 'step', now() from runtime.tasks, generate_series(1, 999) as n`)
      throw new Error('next attempt')
    }
    await enqueueWork()
    await drain()
    behave = async ({ step }) => {
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
    behave = ({ step }) => step('one', z.object({ id: z.int() }), async () => ({ id: 'x' }) as never)
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

describe('another revision', () => {
  test('a stored result that the schema does not take makes the task wait, as an unknown payload does', async () => {
    const fail = failing(1)
    behave = async ({ step }) => {
      await step('one', z.object({ id: z.int() }), async () => ({ id: 1 }))
      fail()
    }
    await enqueueWork()
    await drain()
    behave = ({ step }) => step('one', z.object({ number: z.int() }), async () => ({ number: 1 }))
    await drain({ until: '30m' })
    expect(await ledger()).toMatchObject([
      {
        ...{ attempts: 1, unknown_since: expect.any(Date) },
        last_error: 'this revision does not understand what its step one has stored',
      },
    ])
    behave = async ({ step }) => void (await step('one', z.object({ id: z.int() }), async () => ({ id: 2 })))
    await drain({ until: '2m' })
    expect(await ledger()).toMatchObject([{ state: 'done', unknown_since: null }])
    expect(await steps()).toMatchObject([{ result: { id: 1 } }])
  })

  test('dead after TASKS_PATIENCE, if none understands it', async () => {
    behave = async ({ sleep }) => void (await sleep('one', '10s'))
    await enqueueWork()
    await drain()
    behave = async ({ step }) => void (await step('one', async () => {}))
    await drain({ until: '2h' })
    expect(await ledger()).toMatchObject([
      {
        state: 'dead',
        last_error: expect.stringContaining('this revision has a step one, and its task a sleep'),
      },
    ])
  })
})

describe('the errors of attempts', () => {
  test('are kept, the last 20, with time, attempt, duration, revision and step', async () => {
    const often = { retry: { attempts: 30, backoff: { min: '1s', max: '1s' } } } as const
    let turn = 0
    behave = async ({ step }) => {
      await step(
        'one',
        async () => {
          if (++turn < 25) throw new Error(`number ${turn}`)
        },
        often,
      )
    }
    await enqueueWork()
    await drain({ until: '1h' })
    const [row] = (await ledger()) as unknown as [{ errors: Record<string, unknown>[] }]
    expect(row.errors.map(({ error }) => error)).toEqual(
      Array.from({ length: 20 }, (_, index) => `Error: number ${index + 5}`),
    )
    expect(row.errors.at(-1)).toEqual({
      ...{ error: 'Error: number 24', step: 'one', attempt: 24, ms: expect.any(Number) },
      ...{ revision: expect.any(String), at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
    })
  })

  test('one whose process ended is among them', async () => {
    behave = async () => {}
    const { id } = await enqueueWork()
    await query(
      "update runtime.tasks set state = 'running', attempts = 1, lease = gen_random_uuid(), leased_until = runtime.service_now() - interval '1 s'",
    )
    await service.callback({ name: work.name, id, dispatch: 1 })
    expect(await ledger()).toMatchObject([
      {
        state: 'done',
        errors: [{ attempt: 1, error: 'Error: The process ended, or could not reach the database' }],
      },
    ])
  })
})

test('a task without steps costs no statement more: its claim and its end', async () => {
  behave = async () => {}
  const { id } = await enqueueWork()
  const sent = vi.spyOn(pg.Client.prototype, 'query')
  await (await service.callback({ name: work.name, id, dispatch: 1 })).text()
  const texts = sent.mock.calls.map(([call]) =>
    ((call as unknown as { text?: string }).text ?? String(call)).slice(0, 24),
  )
  sent.mockRestore()
  expect(texts.filter((text) => text !== '')).toEqual([
    'update "runtime"."tasks"',
    'update "runtime"."tasks"',
  ])
})
