import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { failing, stepsTrial } from './steps-trial.ts'

// The attempts of a task of several steps, and their errors.

const service = await stepsTrial()
const { drain, enqueueWork, ledger, query, script, seen, steps, work } = service

describe('attempts', () => {
  test('are those since the last step that was finished: a long task may fail often', async () => {
    const [first, second, third] = [failing(2), failing(2), failing(2)]
    const attempts: number[] = []
    script.run = async ({ step, attempt }) => {
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
    script.run = async ({ step }) => {
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
    script.run = async ({ step }) => {
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
    script.run = async ({ step }) => {
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
    script.run = async ({ step }) => {
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

describe('the errors of attempts', () => {
  test('are kept, the last 20, with time, attempt, duration, revision and step', async () => {
    const often = { retry: { attempts: 30, backoff: { min: '1s', max: '1s' } } } as const
    let turn = 0
    script.run = async ({ step }) => {
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
    script.run = async () => {}
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
  script.run = async () => {}
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
