import { describe, expect } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { browserTest } from '#test/support/browser.ts'
import { as } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

const ship = defineTask({ name: 'orders.fulfil', payload: z.object({}), async run() {} })
const { Authorization: operator = '' } = await as('olga', ['runtime:admin'])
const token = operator.replace('Bearer ', '')

describe('in development', async () => {
  const { url } = await trial({ tasks: [ship], environment: { DOCS_TOKEN: token } })

  browserTest('one click is enough', async ({ open }) => {
    const page = await open(`${url}/runtime/dashboard`)
    await page.getByRole('button', { name: 'Continue as olga' }).click()
    await page.getByRole('heading', { name: 'Schedules' }).waitFor()
  })
})

describe('with a cookie', async () => {
  const { url, request, ledger } = await trial({ tasks: [ship], environment: { AUTH_COOKIE: 'session' } })

  browserTest(
    'it asks for no token, and may change tasks from its own origin',
    async ({ open, expectFault }) => {
      await request((tx) => enqueue(tx, ship, {}, { delay: '1h' }))
      const page = await open(`${url}/runtime/dashboard?state=queued`)
      await page.getByRole('status').filter({ hasText: 'A token is required' }).waitFor()
      await expectFault(/status of 401/)
      await page.context().addCookies([{ name: 'session', value: token, url, httpOnly: true }])
      await page.reload()
      await page.getByRole('button', { name: 'Cancel: orders.fulfil' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
      await page.getByRole('status').filter({ hasText: 'orders.fulfil is cancelled.' }).waitFor()
      expect(await ledger()).toMatchObject([{ state: 'cancelled' }])
      expect(await page.getByRole('button', { name: 'Forget the token' }).isVisible()).toBe(false)
    },
  )
})
