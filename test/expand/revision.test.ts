import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '#test/support/migrations.ts'
import { expand, git, makeRepository, writeFiles } from '#test/support/repository.ts'

// None of these revisions has acceptance tests: a run ends once it has said which one it chose.

const tooOld = 'It comes before the acceptance tests: it has none to pass.'
const first = { 'migrations/0000_first.sql': 'select 1;' }
const second = { 'migrations/0001_second.sql': 'select 1;' }

describe('without a REF', () => {
  test('it is the last revision before the one that brought the newest migration', async () => {
    const { folder, commit } = await makeRepository()
    await commit(first)
    const before = await commit({ file: 'before' })
    await commit(second)
    await commit({ file: 'after', ...first, 'migrations/0000_first.sql': 'select 2;' })
    expect(await expand(folder)).toEqual({ status: 1, output: expect.stringContaining(tooOld) })
    expect((await expand(folder)).output).toContain(`The acceptance tests of ${before.slice(0, 7)} of `)
  })

  test('it is HEAD while the newest migration is not committed', async () => {
    const { folder, commit } = await makeRepository()
    const head = await commit(first)
    await writeFiles(folder, second)
    expect((await expand(folder)).output).toContain(`The acceptance tests of ${head.slice(0, 7)} of `)
  })

  test('there is none where all migrations were there from the beginning', async () => {
    const { folder, commit } = await makeRepository()
    await commit({ ...first, ...second })
    await commit({ file: 'after' })
    const reason = 'Nothing comes before migrations/0001_second.sql: it was there in the first commit.'
    expect(await expand(folder)).toEqual({ status: 0, output: `No earlier revision is tested. ${reason}` })
  })

  test('there is none in a clone whose history is too short', async () => {
    const { folder, commit } = await makeRepository()
    await commit(first)
    await commit(second)
    const shallow = await temporaryFolder()
    await git(shallow, 'clone', '--quiet', '--depth=1', `file://${folder}`, '.')
    const { status, output } = await expand(shallow)
    expect({ status, output }).toEqual({
      status: 0,
      output: expect.stringContaining('git fetch --unshallow'),
    })
  })

  test('there is none outside a git checkout', async () => {
    const folder = await temporaryFolder()
    await writeFiles(folder, first)
    const { status, output } = await expand(folder)
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('not a git repository') })
  })
})

test('a REF that there is not, or that cannot be tested, is refused', async () => {
  const { folder, commit } = await makeRepository()
  await commit(first)
  expect(await expand(folder, 'v1')).toEqual({
    status: 1,
    output: 'git knows no commit v1 here. If it is elsewhere: git fetch --tags origin',
  })
  await git(folder, 'tag', 'v1')
  expect(await expand(folder, 'v1')).toEqual({ status: 1, output: expect.stringContaining(tooOld) })

  const elsewhere = await temporaryFolder()
  expect(await expand(elsewhere, 'v1')).toEqual({
    status: 1,
    output: expect.stringContaining('not a git repository'),
  })
})
