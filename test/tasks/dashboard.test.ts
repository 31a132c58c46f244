import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, vi } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import {
  browserTest,
  expectAccessible,
  expectFits,
  screenshot,
  type TestBrowser,
  type views,
} from '#test/support/browser.ts'
import { as } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

let shut = false
const payload = z.object({})
const retry = { attempts: 2, backoff: { min: '1s', max: '1s' } } as const
const ship = defineTask({
  ...{ name: 'orders.fulfil', payload, retry },
  async run() {
    if (shut) throw new Error('The warehouse responded with 500: <img src=x onerror=alert(1)>')
  },
})
const sweep = defineTask({ name: 'orders.cancel-stale', payload, async run() {} })
const load = defineTask({
  ...{ name: 'orders.import', payload, retry, signals: { paid: z.object({ amount: z.int() }) } },
  async run({ step, waitFor }) {
    await step('fetch', async () => {})
    await step('reserve', async () => {
      if (shut) throw new Error('The warehouse responded with 500')
    })
    await waitFor('paid', { key: 'batch-7', timeout: '7d' })
  },
})
const nightly = defineSchedule({
  ...{ name: 'orders.nightly', cron: '30 3 * * *', timeZone: 'Europe/Berlin', task: sweep, payload: {} },
})
const service = await trial({
  tasks: [ship, sweep, load],
  schedules: [nightly],
  environment: { TRACE_LOGS_URL: 'http://127.0.0.1:1/lines?trace={trace}' },
})
const { request, drain, ledger, url, query } = service
const alice = await as('alice', [])
const { Authorization: operator = '' } = await as('olga', ['runtime:admin'])
const token = operator.replace('Bearer ', '')
const dashboard = `${url}/runtime/dashboard`

beforeEach(async () => {
  await service.clear()
  shut = false
})

/** Opens the page with a token. */
async function openSignedIn(open: TestBrowser['open'], query = '', as?: keyof typeof views): Promise<Page> {
  const page = await open(`${dashboard}${query}`, as)
  await page.getByLabel('Token with the scope runtime:admin').fill(token)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Schedules' }).waitFor()
  return page
}

/** A dead task, as a failed warehouse leaves it. */
async function makeDead(): Promise<string> {
  shut = true
  const { id } = await request((tx) => enqueue(tx, ship, {}), alice)
  await drain({ until: '5s' })
  shut = false
  return id
}

browserTest('a task is seen from queued to done', async ({ open }) => {
  await request((tx) => enqueue(tx, ship, {}, { delay: '1h' }), alice)
  const page = await openSignedIn(open, '?state=queued')
  const task = page.getByRole('listitem').filter({ hasText: 'orders.fulfil' })
  await task.getByText('by alice').waitFor()
  await task.getByRole('button', { name: 'Run now' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
  await page.getByRole('status').filter({ hasText: 'orders.fulfil is sent to run now.' }).waitFor()
  await drain()
  await page.getByLabel('State').selectOption('done')
  await task.getByText('attempts: 1 of 2').waitFor()
  expect(await ledger()).toMatchObject([{ state: 'done' }])
})

browserTest('a dead task shows its last error as text, and is redriven by a click', async ({ open }) => {
  const id = await makeDead()
  const page = await openSignedIn(open)
  const task = page.getByRole('listitem').filter({ hasText: 'orders.fulfil' })
  await task.getByText('responded with 500: <img src=x onerror=alert(1)>').waitFor()
  await task.getByText('attempts: 2 of 2').waitFor()
  await task.getByText('Details').click()
  await task.getByText(id, { exact: true }).waitFor()
  const lines = await task.getByRole('link', { name: 'Log lines' }).getAttribute('href')
  expect(lines).toMatch(/^http:\/\/127\.0\.0\.1:1\/lines\?trace=[\da-f]{32}$/)

  await task.getByRole('button', { name: 'Redrive' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'No' }).click()
  expect(await ledger()).toMatchObject([{ state: 'dead' }])
  await task.getByRole('button', { name: 'Redrive' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
  await page.getByText('There are none.').first().waitFor()
  expect(await page.evaluate('document.activeElement.id')).toBe('tasks-title')
  await drain()
  expect(await ledger()).toMatchObject([{ id, state: 'done', attempts: 1 }])
  expect(service.lines.map(({ message }) => message)).toContain(`olga: redrive of orders.fulfil: task ${id}`)
})

browserTest('a task of several steps shows them, starts again, and gets its signal', async ({ open }) => {
  shut = true
  await request((tx) => enqueue(tx, load, {}), alice)
  await drain({ until: '5s' })
  shut = false
  const page = await openSignedIn(open)
  const task = page.getByRole('listitem').filter({ hasText: 'orders.import' }).first()
  await task.getByText('Details').click()
  await task.getByText(/^fetch · finished /).waitFor()
  await task.getByText(/^reserve · started .* · 2 tries/).waitFor()
  await task.getByText(/^attempt 2 · .* · step reserve · \d+ ms/).waitFor()
  await expectAccessible(page)
  await screenshot(page, 'dashboard-steps')
  await task.getByRole('button', { name: 'Redrive from the start' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
  await page.getByRole('status').filter({ hasText: 'orders.import is redriven from its start.' }).waitFor()
  await drain()
  await page.getByLabel('State').selectOption('queued')
  await task.getByText('waits for the signal paid (batch-7)').waitFor()
  await task.getByRole('button', { name: 'Send signal' }).click()
  await page.getByLabel('Payload, as JSON').fill('{"amount": 5}')
  await expectAccessible(page)
  await screenshot(page, 'dashboard-signal')
  await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
  await page.getByRole('status').filter({ hasText: 'paid is sent.' }).waitFor()
  await drain()
  expect(await ledger()).toMatchObject([{ state: 'done' }])
})

browserTest('the page updates by itself, except while it is paused or hidden', async ({ open }) => {
  const page = await openSignedIn(open, '?state=queued')
  const seconds = (count: number) => page.clock.runFor(count * 1000)
  const set = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))`)
  let [calls, answered] = [0, 0]
  page.on('request', () => calls++)
  page.on('requestfinished', () => answered++)
  /** Waits until no request is on its way. */
  const settle = () => vi.waitFor(() => expect(answered).toBe(calls))
  await page.clock.install()
  await page.reload()
  await page.getByText('There are none.').first().waitFor()

  await request((tx) => enqueue(tx, ship, {}, { delay: '1h' }))
  await seconds(3)
  await page.getByRole('listitem').filter({ hasText: 'orders.fulfil' }).waitFor()
  const pause = page.getByRole('button', { name: 'Pause' })
  async function expectNoCalls(): Promise<void> {
    await settle()
    const before = calls
    await seconds(60)
    await seconds(60)
    expect(calls).toBe(before)
  }
  await pause.click()
  await page.getByText(', paused').waitFor()
  await expectNoCalls()
  await pause.click()
  await page.getByText(', paused').waitFor({ state: 'hidden' })
  await set(true)
  await expectNoCalls()
  const before = calls
  await set(false)
  await vi.waitFor(() => expect(calls).toBeGreaterThan(before))
})

browserTest('without a token it asks for one, and a wrong scope is said', async ({ open, expectFault }) => {
  const page = await open(dashboard)
  const field = page.getByLabel('Token with the scope runtime:admin')
  await field.waitFor()
  await field.fill(alice.Authorization?.replace('Bearer ', '') ?? '')
  await page.keyboard.press('Enter')
  await page.getByRole('status').filter({ hasText: 'The token lacks: runtime:admin.' }).waitFor()
  await expectFault(/status of 403/)
  await field.fill(token)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Schedules' }).waitFor()
  await page.getByRole('button', { name: 'Forget the token' }).click()
  await field.waitFor()
})

describe.each(['light', 'dark', 'phone'] as const)('%s', (as: keyof typeof views) => {
  browserTest('it fits its window, and axe finds no serious fault', async ({ open }) => {
    await makeDead()
    await makeDead()
    await request((tx) => enqueue(tx, ship, {}, { delay: '1h' }), alice)
    await request((tx) => enqueue(tx, sweep, {}))
    await drain()
    await query(
      `insert into runtime.tasks (id, name, state, payload, due_at, attempts, finished_at)
       select gen_random_uuid(), 'orders.fulfil', 'done', '{}', now(), 1 + n % 3, runtime.service_now() - (n * n % 3600) * interval '1 s'
       from generate_series(1, 300) as n`,
    )
    await service.tick()
    const page = await openSignedIn(open, '', as)
    const task = page.getByRole('listitem').filter({ hasText: 'orders.fulfil' })
    await task.first().getByText('Details').click()
    await expectFits(page)
    await expectAccessible(page)
    await page.screenshot({ path: `.build/screens/dashboard-${as}.png`, fullPage: true })
  })
})

browserTest('the form for the token and the question before a change are accessible', async ({ open }) => {
  await makeDead()
  const form = await open(dashboard, 'phone')
  await form.getByLabel('Token with the scope runtime:admin').waitFor()
  await expectFits(form)
  await expectAccessible(form)
  await screenshot(form, 'dashboard-token-phone')
  const page = await openSignedIn(open, '', 'dark')
  await page.getByRole('button', { name: 'Redrive' }).click()
  await page.getByRole('dialog').waitFor()
  expect(await page.evaluate('document.activeElement.id')).toBe('no')
  await expectAccessible(page)
  await screenshot(page, 'dashboard-question-dark')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  expect(await ledger()).toMatchObject([{ state: 'dead' }])
})
