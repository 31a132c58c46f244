import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { readPages, type WorkingCopy, workingCopy } from '#test/kit'
import { brokenLinks } from '#test/support/links.ts'

const rename = 'npm run --silent rename -- my-service'
const eject = 'npm run --silent eject'

/** A copy in which these were run, one after the other. */
async function copyAfter(...commands: string[]): Promise<WorkingCopy> {
  const copy = await workingCopy()
  await copy.run(
    'git add --all && git -c user.name=t -c user.email=t@example.com commit --quiet --message template',
  )
  for (const command of commands) await copy.run(command)
  return copy
}

/** The lines of a fork's files that have a word. The manual, the tests and the tools of the template speak of its example. */
async function traces({ run }: WorkingCopy, word: string, ...left: string[]): Promise<string[]> {
  const places = [...['docs', 'test'], ...left].map((path) => `':!${path}'`).join(' ')
  const found = await run(`git add --all && git grep -inE '${word}' -- . ${places} || true`)
  return found.match(/^[\w./-]+:\d+:.*$/gm)?.filter((line) => !line.startsWith('/')) ?? []
}

/** What only the orders and only the webhooks have, and where the template may speak of them. */
const ofOrders = '\\borders?Id|orders|warehouse|teapot'
const ofWebhooks = 'webhook|whsec'
const template = ['CHANGELOG.md', 'src/runtime', 'migrations', 'dev/new', 'dev/fork', 'dev/eject.ts']
const linkOfReadme = expect.stringMatching(/^README\.md:\d+:.*\[Webhooks\]\(docs\/webhooks\.md\)/)

describe('rename and eject', async () => {
  const [one, other] = await Promise.all([copyAfter(rename, eject), copyAfter(eject, rename)])

  test('leave the same files in either order', async () => {
    const caches = ['.vitest-cache', 'compiled'] // of tests that run now, and of what Node has compiled
    const others = ['.git', ...caches, '_journal.json', '*_snapshot.json']
    const excluded = others.map((name) => `--exclude '${name}'`).join(' ')
    const command = `diff --recursive ${excluded} ${one.folder} ${other.folder}`
    expect(await one.run(`${command} && echo same`)).toContain('same')
  })

  test('leave no trace of the template’s name, but in the licence and its change log', async () => {
    expect(await traces(one, 'runway', 'LICENSE', 'CHANGELOG.md')).toEqual([])
    expect(
      await one.run('head -1 README.md && grep -c my-service package-lock.json cloudbuild.yaml'),
    ).toMatch(/^# my-service\npackage-lock\.json:2\ncloudbuild\.yaml:1$/m)
  })

  test('leave no trace of the examples but the migrations that create and drop their tables', async () => {
    expect(await traces(one, ofOrders, ...template)).toEqual([])
    expect(await traces(one, ofWebhooks, ...template)).toEqual([linkOfReadme])
    expect(await one.run('cat migrations/features/*_without_orders_and_webhooks.sql')).toMatch(
      /^DROP TABLE "webhook_deliveries"[\s\S]*^DROP TABLE "orders"/m,
    )
  })

  test('leave no test that reads the files of an example', async () => {
    const ownFiles = ['test/dev/watch.test.ts', 'test/rules/import-order.test.ts'].map(
      (path) => `':!${path}'`,
    )
    const command = `git grep -nE '(src|dev|test)/(orders|webhooks)/' -- test ${ownFiles.join(' ')}`
    expect(await one.run(`${command} || true`)).toBe('')
  })

  test('leave no link of the pages that leads nowhere', () => {
    const pages = readPages(one.folder)
    expect(pages.length).toBeGreaterThan(40)
    expect(brokenLinks(pages, one.folder)).toEqual([])
  })

  test('change nothing when they run once more', async () => {
    await one.run(
      'git add --all && git -c user.name=t -c user.email=t@example.com commit --quiet --message fork',
    )
    await one.run(`${rename} && ${eject}`)
    expect((await one.run('git status --porcelain')).match(/^.. .*/gm)).toBeNull()
  })
})

describe('eject takes out one example', () => {
  test('webhooks: orders have no trace of them, and pass the checks', async () => {
    const copy = await copyAfter(`${eject} -- webhooks`)
    expect(await traces(copy, ofWebhooks, ...template)).toEqual([linkOfReadme])
    expect(await copy.run('cat migrations/features/*_without_webhooks.sql')).not.toMatch(/"orders"/)
    await copy.run('npm run --silent check && npm ci --dry-run --ignore-scripts --offline')
    expect(brokenLinks(readPages(copy.folder), copy.folder)).toEqual([])
  })

  test('orders: webhooks have no trace of them, and compile', async () => {
    const copy = await copyAfter(`node dev/fork/shape.ts '{ "without": ["orders"] }'`)
    expect(await copy.run('ls src && cat src/app.ts')).toMatch(/^webhooks$[\s\S]*= \[webhooks\]$/m)
    expect(await traces(copy, 'src/orders|WAREHOUSE_URL', ...template)).toEqual([])
    await copy.run('npx tsc --checkers 2')
  })

  test('and refuses a name that is none', () => {
    const { status, stderr } = spawnSync(process.execPath, ['dev/eject.ts', 'order'], { encoding: 'utf8' })
    const message = "'order' is no example. These are: orders, webhooks."
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)])
  })
})

test('another name replaces the one before', async () => {
  const copy = await copyAfter(rename, 'npm run --silent rename -- shop')
  expect(await traces(copy, 'my-service', 'src/runtime', 'dev', 'openapi', '.env.example')).toEqual([])
  expect(await traces(copy, 'runway', 'LICENSE', 'CHANGELOG.md')).toEqual([])
})

test.each([
  ['', 'Name the service: npm run rename -- my-service'],
  ['My_Service', 'Write: npm run rename -- my-service'],
  ['a-very-long-name', 'Write: npm run rename -- a-very-long-na'],
  ['my--service', 'Write: npm run rename -- my-service'],
  ['my-', 'Write: npm run rename -- my'],
  ['9', 'Write: npm run rename -- my-service'],
  ['--help', 'Usage: npm run rename -- my-service'],
])('%j is no name of a service, and the message says what to write', (name, message) => {
  const words = name === '' ? [] : [name]
  const { status, stderr } = spawnSync(process.execPath, ['dev/rename.ts', ...words], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)])
})
