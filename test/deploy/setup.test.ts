import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ownPolicies } from '#test/support/monitoring/files.ts'
import { type Scripts, scripts } from '#test/support/scripts.ts'

const pretend = 'test/deploy/fixtures/project.sh'

/** The scripts and a pretend project. Metrics, alerts and the dashboard are made by one test alone: it takes many calls. */
async function setUp(): Promise<Scripts> {
  const project = await scripts(pretend)
  await writeFile(join(project.folder, 'deploy/monitoring.sh'), 'apply_monitoring() { return 0; }\n')
  return project
}

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

test('creates all that is missing, keeps secrets out of arguments and output, and creates nothing in a second run', async () => {
  const project = await setUp()
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
  const project = await setUp()
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
])('what was done by `%s`, though Google did not respond, is done once', async (LOSE) => {
  const project = await setUp()
  const run = await project.run('deploy/setup', ['--project', 'demo-project'], { LOSE })
  expect([run.status, run.stderr]).toEqual([0, ''])
  await complete(project)
})

test('each environment’s user keeps others out of its database, by a password that does not stay', async () => {
  const project = await setUp()
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
  const project = await setUp()
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
  const project = await setUp()
  const first = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect(first.stdout).toContain('Two minutes, until all of Google knows of the grants')
  const second = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect(second.stdout).not.toContain('Two minutes')
})

test('a secret that Google does not tell of is not taken for one without a value', async () => {
  const project = await setUp()
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

test('a user that was deleted is created with the password in its secret', async () => {
  const project = await setUp()
  await project.run('deploy/setup', ['--project', 'demo-project'])
  await writeFile(join(project.google, 'users'), 'runway-staging\n')
  await rm(join(project.google, 'passwords/runway-live'))
  expect(await project.run('deploy/setup', ['--project', 'demo-project'])).toMatchObject({ status: 0 })
  await complete(project)
})

test('a secret that only a person knows is named, and granted once it is there', async () => {
  const project = await setUp()
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

test('what Google refuses is shown, with what to check', async () => {
  const project = await scripts()
  const run = await project.run('deploy/setup', ['--project', 'demo-project'])
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('is billing on?')])
})

describe('metrics, alerts and the dashboard', () => {
  const files = async ({ google }: Scripts) => (await readFile(join(google, 'policies'), 'utf8')).split('\n')

  test('are made for live, and the address that is told is left to the person', async () => {
    const project = await scripts(pretend)
    const run = await project.run('deploy/setup', ['--project', 'demo-project'])
    expect([run.status, run.stderr]).toEqual([0, ''])
    const made = (await files(project)).flatMap((line) => /^runway-live,([\w-]+),/.exec(line)?.[1] ?? [])
    expect(made.sort()).toEqual(
      ownPolicies()
        .map(([name]) => name)
        .sort(),
    )
    expect(run.stdout).toContain('In cloudbuild.yaml: _ALERT_EMAIL')
    expect((await project.calls()).filter((call) => /runway-staging-(requests|latency)/.test(call))).toEqual(
      [],
    )
  })

  test('are left to the next build while Google does not know the metrics', async () => {
    const project = await scripts(pretend)
    const run = await project.run('deploy/setup', ['--project', 'demo-project'], { NEW: 'true' })
    expect([run.status, await files(project)]).toEqual([0, ['']])
    expect(run.stdout).not.toContain('deploy/alerts live')
  })

  test('are named as left to do where Google refuses', async () => {
    const project = await scripts(pretend)
    const FAIL = 'monitoring dashboards list'
    const run = await project.run('deploy/setup', ['--project', 'demo-project'], { FAIL })
    expect([run.status, run.stdout]).toEqual([
      0,
      expect.stringContaining('deploy/alerts live --project demo-project'),
    ])
  })
})
