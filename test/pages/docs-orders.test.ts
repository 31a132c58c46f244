import { expect } from 'vitest'
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
import { testServer } from '#test/support/server.ts'
import { as } from '#test/support/tokens.ts'
import contract from '../../openapi/openapi.json' with { type: 'json' }

const alice = await as('alice', ['orders:read', 'orders:write'])
const DOCS_TOKEN = `${alice.Authorization}`.replace('Bearer ', '')
const { url } = await testServer({ environment: { DOCS_TOKEN } })

for (const view of Object.keys(views) as View[])
  browserTest(
    `a person authorises by one click, sends POST /orders, and sees the 201: ${view}`,
    async ({ open }) => {
      const page = await open(`${url}/docs`, view)
      await page.getByRole('heading', { name: contract.info.title, level: 1 }).waitFor()
      await screenshot(page, `docs-${view}`)
      await expectFits(page)

      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByText('Authorised.').waitFor()
      await page.evaluate("location.hash = '#tag/orders/POST/orders'")
      await page.getByRole('button', { name: /Test Request.*post \/orders\)/i }).focus()
      await screenshot(page, `docs-${view}-order`)
      await expectFits(page)
      await expectAccessible(page)

      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog')
      const send = dialog.getByRole('button', { name: /^Send (post )?request to/i })
      await send.waitFor()
      await expectAccessible(page)
      await send.click()
      await dialog.getByText('201 Created').waitFor()
      await screenshot(page, `docs-${view}-sent`)
      await expectAccessible(page)
      await expectFits(page)
      // the example has an idempotency key: all of these are one order
      expect((await expectJson(await client(url, alice)('/orders'))).items).toHaveLength(1)
    },
  )
