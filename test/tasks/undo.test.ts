import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { fatal } from '#src/runtime/tasks/task-errors.ts'
import { expectJson } from '#test/support/expect.ts'
import { trial } from './trial.ts'

// A task that dies after some of its steps: their undos run, the last one first.

const seen: string[] = []
let refund: () => void = () => {}
let between: () => void = () => {}
let last: () => unknown = () => {}
let statesUndo = true
const work = defineTask({
  name: 'trial.work',
  payload: z.object({}),
  retry: { attempts: 2, backoff: { min: '1s', max: '1s' } },
  async run({ step, sleep }) {
    await step('reserve', z.object({ slot: z.int() }), async () => ({ slot: 7 }), {
      undo: async ({ result, idempotencyKey }) => {
        seen.push(`release ${result.slot}`)
        keys.push(idempotencyKey)
      },
    })
    between()
    await step(
      'charge',
      async ({ idempotencyKey }) => {
        seen.push('charge')
        keys.push(idempotencyKey)
      },
      statesUndo
        ? {
            undo: async () => {
              seen.push('refund')
              refund()
              return (tx) =>
                tx.execute(
                  sql`insert into test_notes (id, owner, text, pages) values (gen_random_uuid(), 'work', 'refunded', 1)`,
                )
            },
          }
        : {},
    )
    await step('mail', async () => void seen.push('mail'))
    await sleep('nap', '1h')
    last()
  },
})
const keys: string[] = []
const service = await trial({ tasks: [work] })
const { request, drain, ledger, query, lines } = service
const olga = await service.as('olga', ['runtime:admin'])
const post = (path: string) => olga(path, { method: 'POST' })
const enqueueWork = () => request((tx) => enqueue(tx, work, {}))
const refunds = async () => (await query("select from test_notes where text = 'refunded'")).length
const deaths = () => lines.filter(({ code }) => code === 'RUNTIME_TASK_DEAD')

beforeEach(async () => {
  await service.clear()
  await query('delete from test_notes')
  seen.length = 0
  keys.length = 0
  refund = () => {}
  between = () => {}
  last = () => {
    throw fatal('no stock')
  }
  statesUndo = true
})

describe('a task that dies', () => {
  test('has its finished steps undone, the last one first, and then it is dead, with its first error', async () => {
    const { id } = await enqueueWork()
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'refund', 'release 7'])
    expect(keys).toEqual([`${id}:charge`, `${id}:reserve:undo`])
    expect(await refunds()).toBe(1)
    expect(await ledger()).toMatchObject([
      { state: 'dead', undoing: null, last_error: 'FatalError: no stock' },
    ])
    expect(deaths()).toHaveLength(1)
    const shown = await expectJson<{ steps: object[] }>(await olga(`/runtime/tasks/${id}`))
    expect(shown.steps).toMatchObject([
      { name: 'reserve', undoneAt: expect.any(String) },
      { name: 'charge', undoneAt: expect.any(String) },
      { name: 'mail' },
      { name: 'nap' },
    ])
  })

  test('an undo that fails is tried again, and those before it are not repeated', async () => {
    let fails = 1
    refund = () => {
      if (fails-- > 0) throw new Error('bank away')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'refund', 'refund', 'release 7'])
    expect(await ledger()).toMatchObject([{ state: 'dead', last_error: 'FatalError: no stock' }])
    expect(await refunds()).toBe(1)
  })

  test('says which undos have failed for good; the others run', async () => {
    refund = () => {
      throw new Error('bank away')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'refund', 'refund', 'release 7'])
    expect(await ledger()).toMatchObject([
      {
        state: 'dead',
        last_error: 'FatalError: no stock; these undos have failed: charge (Error: bank away)',
      },
    ])
    expect(await query("select undo_tries, undo_error from runtime.steps where name = 'charge'")).toEqual([
      { undo_tries: 2, undo_error: 'Error: bank away' },
    ])
  })

  test('a fatal error of an undo is not tried again', async () => {
    refund = () => {
      throw fatal('the account is closed')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'refund', 'release 7'])
  })

  test('an undo that this revision does not state has failed', async () => {
    last = () => {
      statesUndo = false
      throw fatal('no stock')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'release 7'])
    expect(await ledger()).toMatchObject([
      {
        state: 'dead',
        last_error: expect.stringContaining('these undos have failed: charge (Error: run did not'),
      },
    ])
  })

  test('code between the steps that fails is tried again, and then what is known is undone', async () => {
    last = () => {
      between = () => {
        seen.push('between')
        throw new Error('broken')
      }
      throw fatal('no stock')
    }
    await enqueueWork()
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'between', 'between', 'release 7'])
    expect(await ledger()).toMatchObject([
      {
        state: 'dead',
        last_error: expect.stringContaining(
          'charge (Error: run did not come to it, so its undo is not known, caused by Error: broken)',
        ),
      },
    ])
  })

  test('without a finished step that has an undo, it is dead at once', async () => {
    between = () => {
      throw fatal('too early')
    }
    statesUndo = false
    const plain = defineTask({
      name: 'trial.plain',
      payload: z.object({}),
      run: async ({ step }) => {
        await step('one', async () => {})
        throw fatal('no')
      },
    })
    const own = await trial({ tasks: [plain] })
    await own.request((tx) => enqueue(tx, plain, {}))
    await own.drain()
    expect(await own.ledger()).toMatchObject([{ state: 'dead', dispatch: 1, undone: 0 }])
  })

  test('that is redriven runs the undone steps again, with other idempotency keys', async () => {
    const { id } = await enqueueWork()
    await drain({ until: '2h' })
    last = () => {}
    seen.length = 0
    keys.length = 0
    expect((await post(`/runtime/tasks/${id}/redrive`)).status).toBe(200)
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge'])
    expect(keys).toEqual([`${id}:charge:1`])
    expect(await ledger()).toMatchObject([{ state: 'done', last_error: null }])
  })

  test('a second death undoes them again', async () => {
    const { id } = await enqueueWork()
    await drain({ until: '2h' })
    await post(`/runtime/tasks/${id}/redrive`)
    await drain({ until: '2h' })
    expect(seen).toEqual(['charge', 'mail', 'refund', 'release 7', 'charge', 'refund', 'release 7'])
    expect(await ledger()).toMatchObject([{ state: 'dead', undone: 2 }])
    expect(await refunds()).toBe(2)
  })
})

test('a process that ends among the undos leaves the rest to the next', async () => {
  await enqueueWork()
  let cut = true
  refund = () => {
    if (cut) throw new Error('cut')
  }
  last = () => {
    throw fatal('no stock')
  }
  await drain({ until: '61m' })
  cut = false
  await query(`update runtime.tasks set state = 'running', lease = gen_random_uuid(), leased_until = runtime.service_now() - interval '1 s'
    where undoing is not null`)
  await service.tick()
  await drain({ until: '2h' })
  expect(seen.filter((word) => word === 'release 7')).toHaveLength(1)
  expect(await refunds()).toBeLessThanOrEqual(1)
  expect((await ledger())[0]?.state).toBe('dead')
})
