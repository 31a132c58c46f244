import { describe, expect, test } from 'vitest'
import { scripts } from '#test/support/scripts.ts'

const project = await scripts()
const withProject = { PROJECT_ID: 'demo-project' }

describe.each(['submit', 'status', 'logs', 'rollback', 'setup'])('deploy/%s', (name) => {
  const script = `deploy/${name}`

  test.each(['--help', '-h'])('%s prints the help, without a project and without gcloud', async (option) => {
    const run = await project.run(script, [option])
    expect([run.status, run.stderr]).toEqual([0, ''])
    expect(run.stdout).toMatch(new RegExp(`^${script}: \\w.*\\.\n\nUsage: ${script} .*--project PROJECT`))
    expect(run.stdout).toMatch(/^ {2}--project +\w/m)
    expect(run.stdout).toMatch(/^ {2}--help +\w/m)
    expect(run.stdout).toMatch(new RegExp(`^Examples:\n {2}${script}`, 'm'))
    expect(run.stdout).toMatch(/^Exit status: 0 .*; 1 .*; 2 wrong arguments\.\n$/m)
  })

  test('prints it from another folder, beside other arguments', async () => {
    const { stdout } = await project.run(script, ['--help'])
    const elsewhere = await project.run('bash', ['-c', `cd deploy && ./${name} anything --help`])
    expect(elsewhere).toEqual({ status: 0, stdout, stderr: '' })
  })

  test.each([['--proyect=demo-project'], ['--bogus'], ['-x']])(
    'refuses %s, prints the help, and calls nobody',
    async (option) => {
      const { stdout: help } = await project.run(script, ['--help'])
      const run = await project.run(script, [option], withProject)
      expect(run).toEqual({ status: 2, stdout: '', stderr: `${option} is no option of ${script}\n\n${help}` })
    },
  )

  test('refuses an argument too many', async () => {
    const run = await project.run(script, ['live', 'staging'], withProject)
    expect([run.status, run.stdout]).toEqual([2, ''])
    expect(run.stderr).toMatch(new RegExp(`^${script} takes .*\n\n${script}: `))
  })
})

test.each([['--substitutions'], ['--timeout']])(
  'deploy/submit refuses %s without a value',
  async (option) => {
    const run = await project.run('deploy/submit', [option], withProject)
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(`${option} needs a value`)])
  },
)

test('none of this has called gcloud', async () => {
  expect(await project.calls()).toEqual([])
})
