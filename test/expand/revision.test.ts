import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '#test/support/migrations.ts'
import { expand, git, makeRepository, writeFiles } from '#test/support/repository.ts'

// None of these revisions has acceptance tests: a run ends once it has said which one it chose.

const tooOld = 'It comes before the acceptance tests: it has none to pass.'
const [runtime, features] = ['migrations/runtime', 'migrations/features']
const first = { [`${features}/0000_first.sql`]: 'select 1;', ...journal(features, 'first') }
const second = { [`${features}/0001_second.sql`]: 'select 1;', ...journal(features, 'first', 'second') }
const ofRuntime = { [`${runtime}/0000_runtime.sql`]: 'select 1;', ...journal(runtime, 'runtime') }

/** The journal of a set, with these migrations; each was made a second after the one before. */
function journal(folder: string, ...names: string[]) {
  const entries = names.map((name, idx) => ({ idx, when: 1000 * idx, tag: `000${idx}_${name}` }))
  return { [`${folder}/meta/_journal.json`]: JSON.stringify({ entries }) }
}

describe('without a REF', () => {
  test('it is the last revision before the one that brought the newest migration', async () => {
    const { folder, commit } = await makeRepository()
    await commit(first)
    const before = await commit({ file: 'before' })
    await commit(second)
    await commit({ file: 'after', [`${features}/0000_first.sql`]: 'select 2;' })
    expect(await expand(folder)).toEqual({ status: 1, output: expect.stringContaining(tooOld) })
    expect((await expand(folder)).output).toContain(`The acceptance tests of ${before.slice(0, 7)} of `)
  })

  test('it is the last revision before the newest of both sets', async () => {
    const { folder, commit } = await makeRepository()
    await commit(first)
    const before = await commit(second)
    await commit(ofRuntime)
    expect((await expand(folder)).output).toContain(`The acceptance tests of ${before.slice(0, 7)} of `)
  })

  test('it is HEAD while the newest of one set is not committed, whatever the other has', async () => {
    const { folder, commit } = await makeRepository()
    await commit(ofRuntime)
    const head = await commit(first)
    await writeFiles(folder, second)
    expect((await expand(folder)).output).toContain(`The acceptance tests of ${head.slice(0, 7)} of `)
  })

  test('there is none where the migrations were generated again from nothing: nobody deploys over what came before', async () => {
    const { folder, commit } = await makeRepository()
    const before = await commit({ 'migrations/0000_old.sql': '', ...journal('migrations', 'old') })
    await git(folder, 'rm', '--quiet', '-r', 'migrations')
    await commit({ ...ofRuntime, ...first })
    const why = `The database of ${before.slice(0, 7)} cannot become the one here: its migrations/meta/_journal.json lists 0000_old (made 1970-01-01T00:00:00.000Z), which is not here.`
    expect(await expand(folder)).toEqual({ status: 0, output: `No earlier revision is tested. ${why}` })
    expect(await expand(folder, before)).toEqual({ status: 1, output: why })
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
    const reason =
      'Nothing comes before migrations/features/0001_second.sql: it was there in the first commit.'
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
