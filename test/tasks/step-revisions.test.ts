import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { failing, stepsTrial } from './steps-trial.ts'

// Steps that another revision has stored.

const { drain, enqueueWork, ledger, script, steps } = await stepsTrial()

describe('another revision', () => {
  test('a stored result that the schema does not take makes the task wait, as an unknown payload does', async () => {
    const fail = failing(1)
    script.run = async ({ step }) => {
      await step('one', z.object({ id: z.int() }), async () => ({ id: 1 }))
      fail()
    }
    await enqueueWork()
    await drain()
    script.run = ({ step }) => step('one', z.object({ number: z.int() }), async () => ({ number: 1 }))
    await drain({ until: '30m' })
    expect(await ledger()).toMatchObject([
      {
        ...{ attempts: 1, unknown_since: expect.any(Date) },
        last_error: 'this revision does not understand what its step one has stored',
      },
    ])
    script.run = async ({ step }) =>
      void (await step('one', z.object({ id: z.int() }), async () => ({ id: 2 })))
    await drain({ until: '2m' })
    expect(await ledger()).toMatchObject([{ state: 'done', unknown_since: null }])
    expect(await steps()).toMatchObject([{ result: { id: 1 } }])
  })

  test('dead after TASKS_PATIENCE, if none understands it', async () => {
    script.run = async ({ sleep }) => void (await sleep('one', '10s'))
    await enqueueWork()
    await drain()
    script.run = async ({ step }) => void (await step('one', async () => {}))
    await drain({ until: '2h' })
    expect(await ledger()).toMatchObject([
      {
        state: 'dead',
        last_error: expect.stringContaining('this revision has a step one, and its task a sleep'),
      },
    ])
  })
})
