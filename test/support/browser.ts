import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { atEnd } from './at-end.ts'

// Tests in a real browser: Debian's Chromium, or another Chrome that is found. Where there is none, they say so and are
// skipped. A page may call only this machine, and may not write an error to its console.

/** How a page is looked at. */
export const views = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
} as const
export type View = keyof typeof views

/** The browser of one test. */
export interface TestBrowser {
  /** Opens a URL in a profile of its own. `as` is how the page is looked at: light if absent. */
  readonly open: (url: string, as?: View) => Promise<Page>
  /** Every request that left 127.0.0.1, and every error on a console. The test fails if there is any that it did not expect. */
  readonly faults: readonly string[]
  /** Waits for a fault, and expects all that match: a browser reports them when it has time. */
  readonly expectFault: (pattern: RegExp) => Promise<void>
}

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]
const executablePath = process.env.CHROMIUM ?? places.find((place) => existsSync(place))
const none =
  'there is no browser: install Chromium (apt-get install chromium), or set CHROMIUM to the file of one'

if (!executablePath) process.stderr.write(`Tests of pages are skipped: ${none}.\n`)

/** What keeps Chromium from calling its maker, and lets it reach nothing but this machine. */
const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...[
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
]

/** A page comes, however slow the machine is. */
const patienceMs = 120_000

let browser: Promise<Browser> | undefined

async function closeBrowser(): Promise<void> {
  const running = browser
  browser = undefined
  await (await running)?.close()
}

/**
 * A test in a browser.
 *
 * @example
 * browserTest('the page has a heading', async ({ open }) => {
 *   const page = await open(`${url}/docs`, 'phone')
 *   await page.getByRole('heading', { name: 'Orders' }).waitFor()
 *   await expectFits(page)
 *   await expectAccessible(page)
 *   await screenshot(page, 'docs-phone') // .build/screens/docs-phone.png
 * })
 */
export function browserTest(title: string, run: (browser: TestBrowser) => Promise<void>): void {
  atEnd(closeBrowser)
  test(title, async (context) => {
    if (!executablePath) return context.skip(none)
    browser ??= chromium.launch({ executablePath, args })
    const running = await browser
    const contexts: BrowserContext[] = []
    const faults: string[] = []
    const expected: RegExp[] = []
    async function expectFault(pattern: RegExp): Promise<void> {
      expected.push(pattern)
      await expect.poll(() => faults.filter((fault) => pattern.test(fault))).not.toEqual([])
    }
    async function open(url: string, as: View = 'light'): Promise<Page> {
      const profile = await running.newContext({
        ...views[as],
        serviceWorkers: 'block',
        reducedMotion: 'reduce',
      })
      contexts.push(profile)
      profile.setDefaultTimeout(patienceMs)
      watch(profile, faults)
      const page = await profile.newPage()
      await page.goto(url)
      return page
    }
    try {
      await run({ open, faults, expectFault })
    } catch (error) {
      if (error instanceof Error) error.message += ['', ...faults].join('\n')
      throw error
    } finally {
      for (const profile of contexts) await profile.close()
    }
    expect(faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)))).toEqual([])
  })
}

function watch(profile: BrowserContext, faults: string[]): void {
  profile.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    const isLocal = ['data:', 'blob:'].includes(protocol) || hostname === '127.0.0.1'
    if (!isLocal) faults.push(`A request left this machine: ${request.method()} ${request.url()}`)
  })
  profile.on('console', (message) => {
    if (message.type() === 'error') faults.push(`The console has an error: ${message.text()}`)
  })
  profile.on('weberror', (error) => faults.push(`The page threw: ${error.error().stack}`))
}

/** Saves what a page shows as `.build/screens/NAME.png`, for a person to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `.build/screens/${name}.png` })
}

/** Expects that a page is not wider than its window: nothing is cut off, and nobody scrolls sideways. */
export async function expectFits(page: Page): Promise<void> {
  const widths = await page.evaluate('[document.documentElement.scrollWidth, window.innerWidth]')
  const [content = 0, window = 0] = widths as number[]
  expect(content, 'the width of the page').toBeLessThanOrEqual(window)
}

/**
 * Expects that axe finds nothing serious or critical: names for screen readers, contrast, order. What moves on the page may
 * cover something for a while.
 *
 * @param withinMs how long it may take until axe finds nothing
 */
export async function expectAccessible(page: Page, withinMs = patienceMs): Promise<void> {
  await page.evaluate(axe.source)
  async function seriousFaults(): Promise<string[]> {
    const found = await page.evaluate('axe.run()')
    const { violations } = found as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[]
    }
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    return serious.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  }
  await expect.poll(seriousFaults, { timeout: withinMs }).toEqual([])
}
