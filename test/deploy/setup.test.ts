import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Scripts, scripts } from '#test/support/scripts.ts'

const pretend = 'test/deploy/fixtures/project.sh'

/** The secrets of a pretend project: name to versions. */
async function stored({ google }: Scripts): Promise<Record<string, string[]>> {
  const folder = join(google, 'versions')
  const entries = (await readdir(folder)).map(async (name) => {
    const versions = (await readFile(join(folder, name), 'utf8')).trim().split('\n')
    return [name, versions] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** Expects all that a project needs, each secret once, and passwords that fit. */
async function complete(project: Scripts): Promise<void> {
  const secrets = await stored(project)
  expect(Object.keys(secrets).sort()).toEqual([
    'runway-live-auth-secret',
    'runway-live-database-url',
    'runway-live-test-token',
    'runway-staging-auth-secret',
    'runway-staging-database-url',
  ])
  for (const versions of Object.values(secrets)) expect(versions).toHaveLength(1)
  for (const name of ['runway-staging', 'runway-live']) {
    const password = (await readFile(join(project.google, 'passwords', name), 'utf8')).trim()
    expect(password).toMatch(/^[0-9a-f]{48}$/)
    const path = `/cloudsql/demo-project:europe-west1:runway`
    expect(secrets[`${name}-database-url`]).toEqual([`postgres://${name}:${password}@/${name}?host=${path}`])
  }
  expect(secrets['runway-live-test-token']).toEqual(['none'])
}

const changes = / (create|add|set-password|access) /

describe('a dry run', () => {
  let usual: Awaited<ReturnType<typeof dry>>
  const dry = async (...args: string[]) => {
    const project = await scripts()
    const run = await project.run('deploy/setup', ['--dry-run', ...args])
    expect((await project.calls()).filter((call) => !call.startsWith('config get-value '))).toEqual([])
    return { ...run, commands: run.stdout.split('\n').filter((line) => line.startsWith('gcloud ')) }
  }

  beforeAll(async () => {
    usual = await dry('--project', 'demo-project')
  })

  test('asks Google nothing, and prints the same commands each time', async () => {
    expect(usual.status).toBe(0)
    expect(usual.commands.length).toBeGreaterThan(50)
    expect(usual.stdout.split('\n').filter((line) => /gcloud/.test(line))).toEqual(usual.commands)
    expect(await dry('--project', 'demo-project')).toEqual(usual)
  })

  test('shows no secret, and none is an argument', () => {
    const { stdout } = usual
    expect(stdout).not.toMatch(/[0-9a-f]{32}|[A-Za-z0-9+/]{40,}=|postgres:\/\/|--password(?!-secret-version)/)
    expect(stdout.match(/ versions add .*/g)).toHaveLength(7)
    expect(stdout).not.toMatch(/ versions add (?!.*--data-file=-)/)
  })

  test('grants staging nothing of live, and live nothing of staging', () => {
    const { commands } = usual
    const grants = commands.filter((line) => line.includes('add-iam-policy-binding'))
    for (const [own, other] of [
      ['staging', 'live'],
      ['live', 'staging'],
    ]) {
      const granted = grants.filter((line) => line.includes(`serviceAccount:runway-${own}@`))
      expect(granted).toHaveLength(6)
      expect(granted.filter((line) => line.includes(`runway-${other}`))).toEqual([])
    }
    expect(
      grants.filter((line) => line.includes('-tasks@demo-project.iam.gserviceaccount.com --role')),
    ).toEqual([])
  })

  test('lets a build read two secrets, and none that live runs with', () => {
    const { commands } = usual
    const readers = commands.filter((line) => /serviceAccount:runway-build@.*secretAccessor/.test(line))
    expect(readers.map((line) => line.split(' ')[3])).toEqual([
      'runway-staging-auth-secret',
      'runway-live-test-token',
    ])
  })

  test('with databases given makes no Cloud SQL instance, and says what to set', async () => {
    const project = await scripts()
    const given = {
      STAGING_DATABASE_URL: 'postgres://a:secret-a@h/a',
      LIVE_DATABASE_URL: 'postgres://b:secret-b@h/b',
    }
    const { stdout } = await project.run('deploy/setup', ['--dry-run', '--project', 'demo-project'], given)
    expect(stdout).not.toMatch(/gcloud sql|cloudsql|secret-[ab]/)
    expect(stdout).toContain('In cloudbuild.yaml: _CLOUD_SQL: none')
    const half = await project.run('deploy/setup', ['--dry-run', '--project', 'demo-project'], {
      LIVE_DATABASE_URL: 'x',
    })
    expect([half.status, half.stderr]).toEqual([1, expect.stringContaining('give both, or neither')])
  })

  test.each([
    ['which it makes', undefined, true],
    ['which is there', 'demo-project:europe-west1:mine', true],
    ['which is not used', 'none', false],
  ])('enables what a deploy asks after for a Cloud SQL instance %s', async (_, instance, isEnabled) => {
    const project = await scripts()
    const given: Record<string, string> = instance === undefined ? {} : { CLOUD_SQL: instance }
    const { stdout } = await project.run('deploy/setup', ['--dry-run', '--project', 'demo-project'], given)
    const [enable = ''] = stdout.split('\n').filter((line) => line.startsWith('gcloud services enable'))
    for (const api of ['sqladmin', 'sql-component'])
      expect(enable.includes(` ${api}.googleapis.com`)).toBe(isEnabled)
  })

  test('says which region belongs in cloudbuild.yaml, and what comes next', async () => {
    const { stdout } = await dry('--project', 'demo-project', '--region', 'us-east1')
    expect(stdout).toContain('_REGION: us-east1')
    expect(stdout.trim().split('\n').at(-1)).toBe('Commit, then: deploy/submit --project demo-project')
  })

  test.each([
    [['--project', 'Demo'], "no project's id"],
    [['--project=demo-project', '--region', 'mars'], 'no region'],
    [['--project', 'demo-project', 'us-east1'], 'us-east1 is not known: deploy/setup --project PROJECT'],
    [['--project'], 'No project: deploy/setup --project PROJECT'],
    [[], 'No project: deploy/setup --project PROJECT'],
  ])('refuses %j', async (args, reason) => {
    const run = await dry(...args)
    expect([run.status, run.stderr, run.commands]).toEqual([1, expect.stringContaining(reason), []])
  })
})

test('makes all that is missing, keeps secrets out of arguments and output, and run again makes nothing', async () => {
  const project = await scripts(pretend)
  const first = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect([first.status, first.stderr]).toEqual([0, ''])
  await complete(project)
  const calls = await project.calls()
  const seen = [first.stdout, ...calls].join('\n')
  for (const [name, [value]] of Object.entries(await stored(project))) {
    if (name !== 'runway-live-test-token') expect(seen).not.toContain(value)
  }
  expect(seen).not.toContain((await readFile(join(project.google, 'passwords/runway-live'), 'utf8')).trim())

  const second = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect([second.status, second.stderr]).toEqual([0, ''])
  expect((await project.calls()).slice(calls.length).filter((call) => changes.test(call))).toEqual([])
  await complete(project)
})

test.each([
  'iam service-accounts create runway-live ',
  'sql instances create',
  'sql users create runway-live',
  'secrets create runway-live-database-url',
])('killed after `%s`, it is completed by the next run', async (KILL) => {
  const project = await scripts(pretend)
  const killed = await project.run('deploy/setup', ['--project', 'demo-project'], { KILL })
  expect(killed.status).toBeNull()
  const run = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect([run.status, run.stderr]).toEqual([0, ''])
  await complete(project)
})

test.each([
  'iam service-accounts create runway-live ',
  'artifacts repositories create',
  'storage buckets create',
  'tasks queues create',
  'secrets create runway-live-database-url',
  'secrets versions add runway-live-auth-secret',
  'sql instances create',
  'sql databases create runway-live',
  'sql users create runway-live',
])('what was done by `%s`, though Google did not answer, is done once', async (LOSE) => {
  const project = await scripts(pretend)
  const run = await project.run('deploy/setup', ['--project', 'demo-project'], { LOSE })
  expect([run.status, run.stderr]).toEqual([0, ''])
  await complete(project)
})

test('each environment’s user keeps others out of its database, by a password that does not stay', async () => {
  const project = await scripts(pretend)
  await project.run('deploy/setup', ['--project', 'demo-project'])
  const lines = (await readFile(join(project.google, 'statements'), 'utf8')).trim().split('\n')
  expect(lines).toHaveLength(2)
  for (const [index, name] of ['runway-staging', 'runway-live'].entries()) {
    const password = (await readFile(join(project.google, 'passwords', name), 'utf8')).trim()
    const sql = `alter database "${name}" owner to "${name}"; revoke all on database "${name}" from public`
    expect(lines[index]).toContain(`--database ${name} --user ${name} --sql ${sql} --password-secret-version`)
    expect(lines[index]?.endsWith(password)).toBe(true)
  }
  expect(await readFile(join(project.google, 'regional/names'), 'utf8')).toBe('')
  expect(await readdir(join(project.google, 'regional'))).toEqual(['names'])
})

test('where Google does not run the statements, they are left to the person', async () => {
  const project = await scripts(pretend)
  const run = await project.run('deploy/setup', ['--project', 'demo-project'], {
    FAIL: 'sql instances execute-sql',
  })
  expect(run.status).toBe(0)
  for (const name of ['runway-staging', 'runway-live'])
    expect(run.stdout).toContain(
      `Keep others out of the database ${name}: as its user, in Cloud SQL Studio, alter database "${name}" owner`,
    )
  await complete(project)
  expect(await readFile(join(project.google, 'regional/names'), 'utf8')).toBe('')
})

test('waits for what it granted, where it made anything', async () => {
  const project = await scripts(pretend)
  const first = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect(first.stdout).toContain('Two minutes, until all of Google knows of the grants')
  const second = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect(second.stdout).not.toContain('Two minutes')
})

test('a secret that Google does not tell of is not taken for one without a value', async () => {
  const project = await scripts(pretend)
  await project.run('deploy/setup', ['--project', 'demo-project'])
  const calls = await project.calls()
  const run = await project.run('deploy/setup', ['--project', 'demo-project'], {
    FAIL: 'secrets versions list',
  })
  expect([run.status, run.stderr]).toEqual([
    1,
    expect.stringContaining('does not say whether runway-staging-database-url has a value'),
  ])
  expect((await project.calls()).slice(calls.length).filter((call) => changes.test(call))).toEqual([])
  await complete(project)
})

test('a user that is gone is made again with the password that its secret has', async () => {
  const project = await scripts(pretend)
  await project.run('deploy/setup', ['--project', 'demo-project'])
  await writeFile(join(project.google, 'users'), 'runway-staging\n')
  await rm(join(project.google, 'passwords/runway-live'))
  expect(await project.run('deploy/setup', ['--project', 'demo-project'])).toMatchObject({ status: 0 })
  await complete(project)
})

test('a secret that only a person knows is named, and granted once it is there', async () => {
  const project = await scripts(pretend)
  await appendFile(
    join(project.folder, 'deploy/environments/live.env'),
    'WAREHOUSE_KEY=secret:warehouse-key\n',
  )
  const { stdout } = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect(stdout).toContain(
    'gcloud secrets create runway-live-warehouse-key --project demo-project --data-file FILE',
  )
  await appendFile(join(project.google, 'secrets'), 'runway-live-warehouse-key\n')
  await project.run('deploy/setup', ['--project', 'demo-project'])
  const granted = (await project.calls()).filter((call) => call.includes('binding runway-live-warehouse-key'))
  expect(granted).toHaveLength(2)
})

test('what Google refuses is shown, with what to look at', async () => {
  const project = await scripts()
  const run = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('is billing on?')])
})
