import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { failing, stepsTrial, write } from './steps-trial.ts'

// A task of several steps: each runs until it has succeeded once.

const { drain, enqueueWork, ledger, lines, request, script, seen, steps, work, written } = await stepsTrial()

describe('a step', () => {
  test('runs once; an attempt that comes later gets its result, as the schema makes it', async () => {
    const fail = failing(2)
    const schema = z.object({ at: z.iso.datetime().transform((text) => new Date(text)) })
    const results: unknown[] = []
    script.run = async ({ step, attempt }) => {
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
    script.run = async ({ step }) => {
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
    script.run = async ({ step }) => {
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
    script.run = async ({ step, signal }) => {
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
    script.run = async ({ step }) => void (await step('pay', async () => {}))
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
    script.run = async ({ step }) => {
      await step('one', log('one'))
      await step('two', log('two'))
      throw new Error('then a deploy')
    }
    await enqueueWork()
    await drain()
    script.run = async ({ step }) => {
      await step('zero', log('zero'))
      await step('two', log('two'))
      await step('three', log('three'))
    }
    await drain({ until: '1h' })
    expect(seen).toEqual(['one', 'two', 'zero', 'three'])
  })
})

describe('save', () => {
  test('keeps how far a step has come, and commits writes with it', async () => {
    const fail = failing(4)
    script.run = async ({ step }) => {
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
    script.run = async ({ step }) => {
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
    script.run = async ({ step }) => void (await step('pages', (run) => run.save(1 as never)))
    await enqueueWork()
    await drain()
    expect(await ledger()).toMatchObject([
      { last_error: expect.stringContaining('save needs the option cursor') },
    ])
  })
})
