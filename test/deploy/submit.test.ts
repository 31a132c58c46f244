import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scripts } from '#test/support/scripts.ts'

/** The scripts in a git repository of two commits; a pretend gcloud keeps what it was sent. */
async function repository() {
  const project = await scripts('test/deploy/fixtures/submit.sh')
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com']
    const run = await project.run('git', [...identity, ...args])
    expect([run.status, run.stderr]).toEqual([0, ''])
    return run.stdout.trim()
  }
  const file = join(project.folder, 'file.txt')
  await git('init', '--quiet')
  await writeFile(join(project.folder, '.gitignore'), '.build/\n*.log\n')
  for (const text of ['first', 'second']) {
    await writeFile(file, text)
    await git('add', '.')
    await git('commit', '--quiet', '--message', text)
  }
  const submit = (...args: string[]) => project.run('deploy/submit', args, { PROJECT_ID: 'demo-project' })
  const sent = () => readFile(join(project.google, 'sent/file.txt'), 'utf8')
  return { ...project, git, file, submit, sent }
}

test('submits what HEAD holds, with its commit, and leaves out what git ignores', async () => {
  const { folder, google, git, submit, sent, calls } = await repository()
  await writeFile(join(folder, 'a.log'), 'ignored')
  expect(await submit()).toMatchObject({ status: 0 })
  const head = await git('rev-parse', 'HEAD')
  const [call = ''] = await calls()
  expect(call).toMatch(
    /^builds submit (\S+) --config \1\/cloudbuild.yaml --project demo-project --substitutions COMMIT_SHA=/,
  )
  expect(call.endsWith(`COMMIT_SHA=${head}`)).toBe(true)
  expect(await sent()).toBe('second')
  const names = await readFile(join(google, 'names'), 'utf8')
  expect(names.trim().split('\n')).toEqual(['.gitignore', 'cloudbuild.yaml', 'deploy', 'file.txt', 'openapi'])
})

test('submits an older commit as it was', async () => {
  const { git, submit, sent, calls } = await repository()
  expect(await submit('HEAD~1')).toMatchObject({ status: 0 })
  expect(await sent()).toBe('first')
  expect((await calls())[0]).toContain(await git('rev-parse', 'HEAD~1'))
})

test.each([
  [['--substitutions=_UNTIL=staging,_CPU=2'], /--substitutions COMMIT_SHA=\w{40},_UNTIL=staging,_CPU=2$/],
  [['HEAD', '--async', '--substitutions', '_A=b'], /--substitutions COMMIT_SHA=\w{40},_A=b --async$/],
  [['--substitutions=^;^_A=b,c;_D=e'], /--substitutions \^;\^COMMIT_SHA=\w{40};_A=b,c;_D=e$/],
  [['--project', 'another-project', '--async'], /--project another-project .* --async$/],
])('passes %j on', async (args, expected) => {
  const { submit, calls } = await repository()
  expect(await submit(...args)).toMatchObject({ status: 0 })
  expect((await calls())[0]).toMatch(expected)
})

test('refuses what is not committed, by name', async () => {
  const { folder, file, submit, calls } = await repository()
  await appendFile(file, 'changed')
  await writeFile(join(folder, 'new.txt'), '')
  const run = await submit()
  expect([run.status, run.stderr]).toEqual([1, expect.stringMatching(/ M file\.txt\n\?\? new\.txt\n/)])
  expect(await calls()).toEqual([])
})

test('refuses a commit that is not there, and is red when the build is', async () => {
  const { google, submit, calls } = await repository()
  expect(await submit('nothing')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('No such commit: nothing'),
  })
  expect(await calls()).toEqual([])
  await writeFile(join(google, 'fails'), '')
  expect(await submit()).toMatchObject({ status: 1, stderr: expect.stringContaining('What to do next') })
})
