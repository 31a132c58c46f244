import type { Page } from 'playwright-core'
import { beforeEach, describe, expect } from 'vitest'
import { z } from 'zod'
import { BatchCounts } from '#src/runtime/tasks/batch-counts.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import {
  browserTest,
  expectAccessible,
  expectFits,
  type TestBrowser,
  type views,
} from '#test/support/browser.ts'
import { as } from '#test/support/tokens.ts'
import { trial } from './trial.ts'

// Batches on the dashboard.

const letter = defineTask({ name: 'notes.send-letter', payload: z.object({ n: z.int() }), async run() {} })
const report = defineTask({
  ...{ name: 'notes.report-letters', payload: z.object({ batch: BatchCounts }) },
  async run() {},
})
const service = await trial({ tasks: [letter, report] })
const { request, drain, query, url } = service
const alice = await as('alice', [])
const { Authorization: operator = '' } = await as('olga', ['runtime:admin'])

beforeEach(() => service.clear())

const batchOf = (count: number) => {
  const payloads = Array.from({ length: count }, (_, n) => ({ n }))
  return request((tx) => enqueueMany(tx, letter, payloads, { finally: [report, {}] }), alice)
}

async function openSignedIn(open: TestBrowser['open'], as?: keyof typeof views): Promise<Page> {
  const page = await open(`${url}/runtime/dashboard`, as)
  await page.getByLabel('Token with the scope runtime:admin').fill(operator.replace('Bearer ', ''))
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Batches' }).waitFor()
  return page
}

const set = (state: string, ids: readonly string[]) =>
  query('update runtime.tasks set state = $1, started_at = now() where id = any($2)', [state, ids])

browserTest('a batch shows how far it is, lists its tasks, and is cancelled by a click', async ({ open }) => {
  const { id, taskIds } = await batchOf(30)
  await set('done', taskIds.slice(0, 9))
  await set('running', taskIds.slice(9, 10))
  const page = await openSignedIn(open)
  const batch = page.getByRole('region', { name: 'Batches' }).getByRole('listitem')
  await batch.getByText('9 of 30 ended').waitFor()
  const bar = batch.getByRole('progressbar', { name: `Ended tasks of the batch of notes.send-letter ${id}` })
  expect([
    await bar.getAttribute('max'),
    await bar.evaluate((element) => Reflect.get(element, 'value')),
  ]).toEqual(['30', 9])

  const tasks = page.getByRole('region', { name: 'Tasks' })
  await batch.getByRole('link', { name: 'Its tasks' }).press('Enter')
  await tasks.getByRole('button', { name: 'Tasks of all batches' }).waitFor()
  expect(new URL(page.url()).searchParams.get('batch')).toBe(id)
  expect(await page.evaluate('document.activeElement.id')).toBe('tasks-title')
  const last = tasks.getByRole('listitem').filter({ hasText: 'attempts' }).first()
  await last.getByText('Details').click()
  await last.getByText(`${id} · 9 of 30 ended`).waitFor()
  await page.reload()
  await last.getByRole('link', { name: 'Its batch: that of notes.send-letter' }).waitFor()

  await batch.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'No' }).click()
  await batch.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click()
  await page.getByRole('status').filter({ hasText: 'is cancelled: 20 of its tasks do not run.' }).waitFor()
  await batch.getByText('cancelled, still open').waitFor()
  expect(await page.evaluate('document.activeElement.id')).toBe('batches-title')
  await set('done', taskIds.slice(9, 10))
  await batch.getByText('30 of 30 ended').waitFor()
  await batch.getByText('then notes.report-letters: ').waitFor()
})

describe.each(['light', 'dark', 'phone'] as const)('%s', (as: keyof typeof views) => {
  browserTest('it fits its window, and axe finds no serious fault', async ({ open }) => {
    await batchOf(3)
    await drain()
    const { taskIds } = await batchOf(1000)
    await set('done', taskIds.slice(0, 420))
    await set('dead', taskIds.slice(420, 440))
    const page = await openSignedIn(open, as)
    await page.getByText('440 of 1,000 ended').waitFor()
    await page.getByRole('link', { name: 'Its tasks' }).first().click()
    await page.getByRole('button', { name: 'Tasks of all batches' }).waitFor()
    await expectFits(page)
    await expectAccessible(page)
    await page.screenshot({ path: `.build/screens/dashboard-batches-${as}.png`, fullPage: true })
  })
})
