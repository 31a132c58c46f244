import { expect } from 'vitest'
import { pageRoutes } from '#src/runtime/pages/page-routes.ts'
import { handlePlain } from '#src/runtime/routes/route.ts'
import { browserTest, expectAccessible, expectFits, screenshot } from '#test/support/browser.ts'
import { featureOf, noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

const beside = (name: string) => new URL(`./fixtures/${name}`, import.meta.url)
const routes = pageRoutes('/trial', async () => ({
  html: beside('trial.html'),
  files: { 'trial.js': beside('trial.js'), 'trial.css': beside('trial.css') },
  values: () => ({ title: 'Trial' }),
}))
const free = handlePlain({ method: 'get', path: '/free', security: 'public' }, (c) =>
  c.html('<!doctype html><title>Free</title><link rel="icon" href="data:,">'),
)
const { url } = await testServer({ databaseUrl: noDatabase, features: [featureOf(free, ...routes)] })

browserTest('a page runs its script and its style under its policy', async ({ open }) => {
  const page = await open(`${url}/trial`, 'phone')
  await page.getByText('The script ran.').waitFor()
  expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).color")).toBe('rgb(0, 0, 120)')
  await expectFits(page)
  await expectAccessible(page)
  await screenshot(page, 'trial-phone')
})

browserTest(
  'the test sees what leaves this machine, and what the policy refuses',
  async ({ open, faults, expectFault }) => {
    const page = await open(`${url}/trial`)
    await page.evaluate("fetch('https://example.com/').catch(() => {})")
    await expectFault(/violates .*connect-src 'self'|Fetch API cannot load/)
    await page.evaluate(
      "document.body.append(Object.assign(document.createElement('script'), { text: 'stolen = 1' }))",
    )
    expect(await page.evaluate('typeof stolen')).toBe('undefined')
    await expectFault(/violates .*script-src/)
    expect(faults.join('\n')).not.toContain('left this machine')

    const bare = await open(`${url}/free`)
    await bare.evaluate("fetch('https://example.com/').catch(() => {})")
    await expectFault(/^A request left this machine: GET https:\/\/example\.com\/$/)
    await expectFault(/net::ERR_NAME_NOT_RESOLVED/)
  },
)

browserTest(
  'the test sees a page that is cut off, and one that a screen reader cannot read',
  async ({ open }) => {
    const page = await open(`${url}/trial`)
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    await expect(expectAccessible(page, 5_000)).rejects.toThrow('button-name')
    await page.evaluate("document.querySelector('h1').style.width = '3000px'")
    await expect(expectFits(page)).rejects.toThrow('the width of the page')
  },
)
