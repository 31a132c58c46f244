import type { IncomingMessage } from 'node:http'
import { expect } from 'vitest'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { listen } from '#dev/machine/serve.ts'
import { atEnd } from '#test/support/at-end.ts'
import {
  browserTest,
  expectAccessible,
  expectFits,
  screenshot,
  type View,
  views,
} from '#test/support/browser.ts'
import { client } from '#test/support/client.ts'
import { expectJson } from '#test/support/expect.ts'

const queue = 'projects/dev/locations/local/queues/default'

/** An emulator on the machine's clock, and a target that takes everything. */
async function start() {
  const target = await listen((request: IncomingMessage, response) => {
    request.resume()
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"taken":true}')
  })
  atEnd(target.close)
  const emulator = await createEmulator()
  atEnd(emulator.close)
  emulator.createQueue(queue, { retryConfig: { minBackoff: '3600s' } })
  const api = client(emulator.url)
  async function create(path: string, scheduleTime?: Date): Promise<void> {
    const body = Buffer.from(`{"order":"${path}"}`).toString('base64')
    const httpRequest = { url: `${target.url}/${path}`, headers: { 'X-Own': 'tea' }, body }
    const task = { httpRequest, ...(scheduleTime && { scheduleTime: scheduleTime.toISOString() }) }
    await expectJson(await api(`/v2/${queue}/tasks`, { json: { task } }))
  }
  return { url: emulator.url, create }
}
const inAnHour = () => new Date(Date.now() + 3_540_000)

for (const view of Object.keys(views) as View[])
  browserTest(`the emulator's page shows queues, tasks and deliveries: ${view}`, async ({ open }) => {
    const { url, create } = await start()
    await create('sent')
    await create('later', inAnHour())
    const page = await open(url, view)
    const delivery = page.locator('summary', { hasText: 'POST /sent' })
    await delivery.getByText('200').waitFor()
    await delivery.getByText(/^\d+ ms$/).waitFor()
    await page.getByText('due').waitFor()
    await screenshot(page, `emulator-${view}`)
    await delivery.focus()
    await page.keyboard.press('Enter')
    await page.getByText('X-Own: tea').waitFor()
    await page.getByText('{"order":"sent"}').waitFor()
    await page.getByText('{"taken":true}').waitFor()
    await expectFits(page)
    await expectAccessible(page)
    await screenshot(page, `emulator-${view}-delivery`)
  })

browserTest(
  'a queue is paused and resumed, and a task is delivered although it is paused',
  async ({ open }) => {
    const { url, create } = await start()
    const page = await open(url)
    await page.getByRole('button', { name: 'Pause default' }).click()
    await page.getByText('paused', { exact: true }).waitFor()
    await create('held')
    await create('waiting')
    await page.getByRole('button', { name: 'Deliver now: /held' }).click()
    await page.locator('summary', { hasText: 'POST /held' }).waitFor()
    expect(await page.locator('summary', { hasText: 'POST /waiting' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Resume default' }).click()
    await page.locator('summary', { hasText: 'POST /waiting' }).waitFor()
  },
)

browserTest('the next acknowledgement is lost, and the next task is delivered twice', async ({ open }) => {
  const { url, create } = await start()
  const page = await open(url)
  const lose = page.getByRole('button', { name: 'Lose the next acknowledgement', pressed: false })
  await lose.click()
  await page.getByRole('button', { name: 'Lose the next acknowledgement', pressed: true }).waitFor()
  await create('lost')
  await page.locator('summary', { hasText: 'POST /lost' }).getByText('200, lost').waitFor()
  await lose.waitFor()
  await page.getByRole('button', { name: 'Deliver the next task twice' }).click()
  await page.getByRole('button', { name: 'Deliver the next task twice', pressed: true }).waitFor()
  await create('twice')
  await page.locator('summary', { hasText: 'POST /twice' }).getByText('200 twice').waitFor()
})

browserTest('the clock is moved, and what is due then is delivered', async ({ open }) => {
  const { url, create } = await start()
  await create('later', inAnHour())
  const page = await open(url)
  await page.getByRole('button', { name: 'by 1 hour' }).click()
  await page.locator('summary', { hasText: 'POST /later' }).getByText('200').waitFor()
  await page.getByText('No task waits').waitFor()
})
