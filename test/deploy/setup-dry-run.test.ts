import { beforeAll, describe, expect, test } from 'vitest'
import { scripts } from '#test/support/scripts.ts'

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

  test('lets both services connect to the instance that cloudbuild.yaml names, such as a restored one', async () => {
    const project = await scripts()
    const given = { CLOUD_SQL: 'demo-project:europe-west1:restored' }
    const { stdout } = await project.run('deploy/setup', ['--dry-run', '--project', 'demo-project'], given)
    const grants = stdout.split('\n').filter((line) => line.includes('roles/cloudsql.client'))
    expect(grants).toEqual(
      ['staging', 'live'].map((name) =>
        expect.stringContaining(`serviceAccount:runway-${name}@demo-project`),
      ),
    )
    for (const grant of grants) expect(grant).toContain('"projects/demo-project/instances/restored"')
    expect(stdout).not.toContain('gcloud sql')
  })

  test('says which region belongs in cloudbuild.yaml, and what comes next', async () => {
    const { stdout } = await dry('--project', 'demo-project', '--region', 'us-east1')
    expect(stdout).toContain('_REGION: us-east1')
    expect(stdout.trim().split('\n').at(-1)).toBe('Commit, then: deploy/submit --project demo-project')
  })

  test.each([
    [['--project', 'Demo'], "no project's id"],
    [['--project=demo-project', '--region', 'mars'], 'no region'],
    [['--project', 'demo-project', 'us-east1'], 'deploy/setup takes options only, and us-east1 is none'],
    [['--project'], 'No project: deploy/setup --project PROJECT'],
    [[], 'No project: deploy/setup --project PROJECT'],
  ])('refuses %j', async (args, reason) => {
    const run = await dry(...args)
    expect([run.status, run.stderr, run.commands]).toEqual([2, expect.stringContaining(reason), []])
  })
})
