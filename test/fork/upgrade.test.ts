import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { type WorkingCopy, workingCopy } from '#test/kit'
import { makeTemplate } from './releases.ts'

// Forks take in two releases of the template, which the tests make.

const author = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((who) => [
    [`GIT_${who}_NAME`, 'Fork'],
    [`GIT_${who}_EMAIL`, 'fork@example.com'],
  ]),
)
const upgrade = 'npm run --silent upgrade --'
const long = 600_000 // each runs several tools, one after the other

/** A fork's folder, and what happens in it. */
function forkIn(copy: WorkingCopy) {
  const { folder } = copy
  const run = (command: string) =>
    copy.run(command, { ...author, npm_config_offline: 'true', TEST_DATABASE_URL: inject('serverUrl') })
  const fails = (command: string) =>
    run(command).then(
      (said) => Promise.reject(new Error(`It passed: ${said}`)),
      (error: Error) => error.message,
    )
  const read = (path: string) => readFile(join(folder, path), 'utf8')
  const has = (path: string) => existsSync(join(folder, path))
  const commit = (message: string) => run(`git add --all && git commit --quiet --message '${message}'`)
  return { ...copy, run, fails, read, has, commit }
}

let template: string
let extended: ReturnType<typeof forkIn>
let cloned: ReturnType<typeof forkIn>

beforeAll(async () => {
  const copies = await Promise.all([workingCopy(), workingCopy()])
  const forks = copies.map(forkIn) as [typeof extended, typeof extended]
  ;[extended, cloned] = forks
  for (const { folder, run, read } of forks) {
    const lock = await read('node_modules/.package-lock.json') // npm writes into it, and it is linked
    await run('rm node_modules/.package-lock.json')
    await writeFile(join(folder, 'node_modules/.package-lock.json'), lock)
  }
  await extended.commit('Copy the files of the template')
  template = await makeTemplate(extended.folder)
}, long)

describe('a fork that began as a copy of the files, and was renamed, ejected and extended', {
  timeout: long,
}, () => {
  let upgraded = ''

  beforeAll(async () => {
    await extended.run('npm run --silent rename -- my-service && npm run --silent eject')
    await extended.run('npm run --silent new -- feature invoices')
    await extended.edit('src/app.ts', (text) =>
      text
        .replace(/^import \{ Hono \}/m, "import { fastUri } from 'fast-uri'\n$&")
        .replace('ResponseHeaders = {}', "ResponseHeaders = { 'X-Own': fastUri.normalize('HTTP://a') }"),
    )
    await extended.edit('package.json', (text) =>
      text
        .replace('    "hono":', '    "fast-uri": "^3.1.0",\n    "hono":')
        .replace(/"version": "0.1.0",(?=\n {2}"description")/, '"version": "4.0.0",')
        .replace(/"check": ".*"/, '"check": "tsc"'),
    )
    await extended.edit('cloudbuild.yaml', (text) => text.replace('_CPU: "1"', '_CPU: "2"'))
    await extended.edit('README.md', (text) => `${text}\nOurs.\n`)
    await extended.run('npm install --no-audit --no-fund')
    await writeFile(join(extended.folder, '.env'), 'OLD_NAME=1\n')
    await extended.commit('Extend it')
    await extended.run('git tag start')
  }, long)

  test('takes in a release without a conflict, in one commit that passes the checks', async () => {
    const said = await extended.run(`${upgrade} ${template} 0.2.0`)
    expect(said).toMatch(/^Version 0\.2\.0 asks of you:\n- Look at your lists: `pageOf` is `pageOfRows`\.$/m)
    expect(said).toMatch(/^changed {2}src\/invoices\/invoices\.ts$/m)
    expect(said).not.toMatch(/No files were processed|hints/)
    expect(await extended.run('git log --format=%s -2 --first-parent')).toBe(
      'Upgrade the template to 0.2.0\nExtend it\n',
    )
    expect(
      await extended.run(
        'git status --porcelain && git rev-parse HEAD^2 refs/template/v0.2.0 | uniq | wc -l',
      ),
    ).toBe('1\n')
    const manifest = JSON.parse(await extended.read('package.json'))
    expect(manifest).toMatchObject({
      name: 'my-service',
      version: '4.0.0',
      template: { version: '0.2.0', source: template },
    })
    expect(Object.keys(manifest.dependencies)).toEqual(
      expect.arrayContaining(['fast-uri', 'hono', 'inflection']),
    )
    expect(manifest.devDependencies).not.toHaveProperty('inflection')
    expect(JSON.parse(await extended.read('package-lock.json')).packages['']).toMatchObject({
      dependencies: { 'fast-uri': '^3.1.0', inflection: expect.any(String) },
    })
  })

  test('keeps its own, and takes the rest of the release', async () => {
    expect(await extended.read('src/app.ts')).toMatch(
      /What the contract says of itself.*title: 'My service'.*X-Own/s,
    )
    expect(await extended.read('cloudbuild.yaml')).toMatch(
      /_SERVICE: my-service [^\n]*\n[^\n]* # near you\n.*_CPU: "2"/s,
    )
    expect(await extended.read('README.md')).toMatch(/^# my-service.*Ours\.\n$/s)
    expect(await extended.read('docs/database.md')).toMatch(/\nA line of 0\.2\.0\.\n$/)
    expect(await extended.read('migrations/features/meta/_journal.json')).not.toContain('note')
    expect(await extended.read('migrations/runtime/meta/_journal.json')).toContain('later')
    expect(['src/orders', 'test/orders', 'test/fork', 'test/docs'].filter(extended.has)).toEqual([])
  })

  test('takes in the next one by the command alone, and then has it', async () => {
    const said = await extended.run('npm run --silent upgrade')
    expect(said).toMatch(/^Version 0\.3\.0 asks of you nothing\.$/m)
    expect(extended.has('test/config/later.test.ts') || extended.has('src/gadgets')).toBe(false)
    expect(await extended.read('.env')).toBe('NEW_NAME=1\n')
    expect(await extended.run('npx biome ci && npx knip')).toContain('No fixes applied')
    const suite = 'test/invoices test/rules/migrations.test.ts'
    expect(await extended.run(`npx vitest run --project statements ${suite}`)).toMatch(/Tests +\d{2,} passed/)
    expect(await extended.fails('npm run --silent upgrade')).toContain(
      'has version 0.3.0 of the template already',
    )
    upgraded = (await extended.run('git rev-parse HEAD')).trim()
  })

  test('gets the same files by both releases at once, on a base that it names, and a word on their migrations', async () => {
    await extended.run('git reset --quiet --hard start')
    const said = await extended.run(`${upgrade} ${template} --base HEAD~1`)
    expect(said).toMatch(/^0\.2\.0 and 0\.3\.0 each change the runtime's tables\./m)
    expect(said).toMatch(/Version 0\.2\.0 asks of you:.*Version 0\.3\.0 asks/s)
    expect(await extended.run(`git diff --stat ${upgraded} HEAD`)).toBe('')
  })
})

describe('a fork that is a clone', { timeout: long }, () => {
  const changed = 'src/runtime/kernel/duration.ts'
  const removed = 'docs/tasks.md'
  let before = ''

  beforeAll(async () => {
    await cloned.run(`git fetch --quiet ${template} between && git reset --quiet --hard FETCH_HEAD`)
    await cloned.edit(changed, (text) => `${text}\n// ours\n`)
    await cloned.edit('package.json', (text) => text.replace(/"check": ".*"/, '"check": "biome ci src"'))
    await cloned.run(`git rm --quiet ${removed} && git remote add template ${template}`)
    await cloned.commit('Change a file of the template')
    before = await cloned.run('git rev-parse HEAD')
  }, long)

  test('has a conflict where it changed a file of the template, and nowhere else', async () => {
    const said = await cloned.fails(`${upgrade} template 0.2.0`)
    expect(said.match(/^conflict .*/gm)).toEqual([expect.stringContaining(`${changed} (the template's: `)])
    expect(said).toContain(`left out ${removed}: the template changed it, and you had removed it`)
    expect(await cloned.run('git status --porcelain')).toMatch(/^UU src\/runtime\/kernel\/duration\.ts$/m)
    expect(await cloned.read(changed)).toMatch(
      /<<<<<<< .*\/\/ ours\n=======\n\/\/ of 0\.2\.0\n>>>>>>> [^\n]*Template 0\.2\.0/s,
    )
  })

  test('goes back by git merge --abort', async () => {
    expect(await cloned.fails('npm run --silent upgrade')).toContain('A merge is in progress.')
    expect(await cloned.fails(`${upgrade} --continue`)).toContain(
      `Settle each, then git add it:\n  ${changed}`,
    )
    await cloned.run(`git merge --abort && git diff --quiet HEAD`)
    expect(await cloned.run('git status --porcelain && git rev-parse HEAD')).toBe(before)
  })

  test('goes on when the conflict is settled', async () => {
    await cloned.fails(`${upgrade} template 0.2.0`)
    await cloned.run(`git add ${changed}`)
    expect(await cloned.fails(`${upgrade} --continue`)).toContain(
      `still have the marks of conflicts:\n${changed}`,
    )
    await cloned.run(`sed -i '/^[<=>|]\\{7\\}/d' ${changed} && git add ${changed}`)
    const said = await cloned.run(`${upgrade} --continue`)
    expect(said).toMatch(/migrations\/features\/\d{4}_template_0_2_0\.sql/)
    expect(await cloned.run('cat migrations/features/*_template_0_2_0.sql')).toContain(
      'ADD COLUMN "note" text',
    )
    expect(await cloned.read('package.json')).toMatch(/"check": "biome ci src"/)
    expect(cloned.has('test/orders/note.test.ts') && !cloned.has(removed)).toBe(true)
    expect(await cloned.run('git status --porcelain && git log --format=%s -1')).toBe(
      'Upgrade the template to 0.2.0\n',
    )
  })

  test('does not settle the same conflict twice, and gets a new example', async () => {
    expect(await cloned.run('npm run --silent upgrade')).toContain('next     npm test')
    expect(await cloned.read(changed)).toMatch(/^\/\/ of 0\.3\.0\n.*\/\/ ours\n/s)
    expect(await cloned.read('src/app.ts')).toContain('readonly Feature[] = [gadgets, orders, webhooks]')
    expect(await cloned.run('git log --format=%s -2 --first-parent')).toBe(
      'Upgrade the template to 0.3.0\nUpgrade the template to 0.2.0\n',
    )
    await cloned.run('git branch upgraded')
  })
})

describe('what cannot be done is refused in a line', { timeout: long }, () => {
  const command = 'node dev/upgrade.ts'

  test.each([
    ['9.9.9', 'The template has no release 9.9.9. It has: 0.1.0, 0.2.0, 0.3.0'],
    ['v0.3.0', 'This service has version 0.3.0 of the template already.'],
    ['0.2.0', 'This service has version 0.3.0 of the template, which is newer than 0.2.0.'],
    ['./nowhere', 'Nothing could be fetched from ./nowhere. Write the template'],
    ['docs', 'Nothing could be fetched from docs. It is a folder, but no clone of the template.'],
    ['one other', 'Usage: npm run upgrade'],
    ['--continue 0.4.0', 'Usage: npm run upgrade'],
  ])('%s', async (words, message) => {
    expect(await cloned.fails(`${command} ${words}`)).toContain(message)
  })

  test.each([
    [
      'changes that are not committed',
      'echo >> README.md',
      'There are changes that are not committed. Commit',
    ],
    ['no source', change('"source": ".*"', '"other": 1'), 'Where is the template? Write its URL'],
    ['no entry', change('"template"', '"other"'), 'Add the newest release that it contains'],
    [
      'a version without a tag',
      change('"version": "0.3.0"', '"version": "0.0.9"'),
      'The template has no tag v0.0.9',
    ],
    ['another merge', 'git merge --quiet --no-commit side', 'A merge is in progress. If it is an upgrade'],
    ['a folder of a larger repository', 'cd src', 'This is the folder src/ of a larger repository'],
    ['no repository', 'cd /', 'This folder is no git repository. Make it one: git init'],
  ])('%s', async (_what, arrange, message) => {
    const there = `'${cloned.folder}/dev/upgrade.ts'`
    await cloned.run('git branch --force side $(git commit-tree -p HEAD~1 -m Side HEAD~1^{tree})')
    expect(await cloned.fails(`${arrange} && node ${there}`)).toContain(message)
    await cloned.run('git merge --abort 2>/dev/null || git reset --quiet --hard refs/heads/upgraded')
  })
})

/** Changes package.json by a commit. */
function change(from: string, to: string): string {
  return `sed -i 's/${from}/${to}/' package.json && git commit --quiet --all --message Change`
}
