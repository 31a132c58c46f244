import { expect } from 'vitest'
import { browserTest } from '#test/support/browser.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'
import { as } from '#test/support/tokens.ts'

const { Authorization = '' } = await as('alice')

browserTest('without a token of development, a person pastes one', async ({ open }) => {
  const staging = await testServer({ databaseUrl: noDatabase, environment: { ENVIRONMENT: 'staging' } })
  const page = await open(`${staging.url}/docs`)
  await page.getByPlaceholder('Token').fill(Authorization.replace('Bearer ', ''))
  expect(await page.getByRole('button', { name: /Authorise/ }).count()).toBe(0)
  await page.evaluate("location.hash = '#tag/runtime/GET/auth/version'")
  await page.getByRole('button', { name: /Test Request.*get \/auth\/version\)/i }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: /^Send (get )?request to/i }).click()
  await dialog.getByText('200 OK').waitFor()
})
