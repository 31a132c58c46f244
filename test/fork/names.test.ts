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

describe('rename and eject', async () => {
  const [one, other] = await Promise.all([copyAfter(rename, eject), copyAfter(eject, rename)])

  test('leave the same files in either order', async () => {
    const command = `diff --recursive --exclude .git --exclude _journal.json --exclude '*_snapshot.json' ${one.folder} ${other.folder}`
    expect(await one.run(`${command} && echo same`)).toContain('same')
  })

  test('leave no trace of the template’s name, but in the licence and its change log', async () => {
    expect(await traces(one, 'runway', 'LICENSE', 'CHANGELOG.md')).toEqual([])
    expect(
      await one.run('head -1 README.md && grep -c my-service package-lock.json cloudbuild.yaml'),
    ).toMatch(/^# my-service\npackage-lock\.json:2\ncloudbuild\.yaml:1$/m)
  })

  test('leave no trace of the example but the migrations that create and drop its table', async () => {
    const template = ['CHANGELOG.md', 'src/runtime', 'migrations', 'dev/new', 'dev/fork', 'dev/eject.ts']
    expect(await traces(one, '\\borders?Id|orders|warehouse|teapot', ...template)).toEqual([])
    expect(await one.run('cat migrations/features/*_without_orders.sql')).toMatch(/^DROP TABLE "orders"/m)
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
