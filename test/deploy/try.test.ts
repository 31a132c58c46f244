import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { scripts } from '#test/support/scripts.ts'
import { statedVariables } from '#test/support/stated.ts'

const staging = `${statedVariables}MAIL_URL=secret:mail-url
API_KEY=secret:api-key
SITE=https://staging.example.com
LIMIT=5
`

/** Runs the step with a docker that notes its calls. Returns the variables that the service was given. */
async function tried(values: string) {
  const { folder, run } = await scripts()
  const bin = join(folder, 'bin')
  await Promise.all([bin, join(folder, '.build')].map((path) => mkdir(path)))
  const note = `printf '%s\\n' "$@" '' >>"${folder}/calls"`
  await writeFile(join(bin, 'docker'), `#!/bin/sh\n${note}\n`)
  await chmod(join(bin, 'docker'), 0o755)
  await writeFile(join(folder, '.build/tag'), 'image:tag')
  await writeFile(join(folder, 'deploy/environments/staging.env'), staging)
  await writeFile(join(folder, 'deploy/environments/try.env'), values)
  const PATH = [bin, process.env.PATH].join(delimiter)
  const { status, stderr } = await run('bash', ['deploy/try'], { PATH, PROJECT_ID: 'my-project' })
  const calls = (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n\n')
  const words = calls.find((call) => call.includes('\ntry-service\n--network'))?.split('\n') ?? []
  const given = words.filter((_word, index) => words[index - 1] === '--env')
  return { status, stderr, given }
}

test('a secret is 64 hexadecimal digits, another variable is staging’s', async () => {
  const { status, stderr, given } = await tried('# nothing\n')
  expect([status, stderr]).toEqual([0, ''])
  expect(given).toContainEqual(expect.stringMatching(/^MAIL_URL=[\da-f]{64}$/))
  expect(given).toContainEqual(expect.stringMatching(/^API_KEY=[\da-f]{64}$/))
  expect(given).toEqual(expect.arrayContaining(['SITE=https://staging.example.com', 'LIMIT=5']))
  expect(given.filter((line) => line.startsWith('AUTH_SECRET='))).toHaveLength(1)
  expect(given).not.toContain('')
})

test('a value of try.env takes the place of staging’s, or stands beside them', async () => {
  const values = 'MAIL_URL=smtps://u:p=w@mail.example.com\nLIMIT=1000\nONLY_HERE=a b\n'
  const { status, stderr, given } = await tried(values)
  expect([status, stderr]).toEqual([0, ''])
  expect(given).toEqual(expect.arrayContaining(values.trim().split('\n')))
  expect(given.filter((line) => /^(MAIL_URL|LIMIT)=/.test(line))).toHaveLength(2)
  expect(given).toContainEqual(expect.stringMatching(/^API_KEY=[\da-f]{64}$/))
})

test('the name of a secret is no value for it', async () => {
  const { status, stderr } = await tried('MAIL_URL=secret:mail-url\n')
  expect(status).toBe(1)
  expect(stderr).toContain('deploy/environments/try.env names a secret: give it a value for the trial there')
})
