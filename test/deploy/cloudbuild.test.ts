import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { atEnd } from '#test/support/at-end.ts'
import { gcloudIsInstalled, runGcloud } from '#test/support/gcloud.ts'
import { problemsOf } from './cloudbuild.ts'

const text = readFileSync('cloudbuild.yaml', 'utf8')
const build = parse(text)

test('cloudbuild.yaml is what Cloud Build takes', () => {
  expect(problemsOf(text)).toEqual([])
})

test('every script that a step runs is there', () => {
  const scripts = build.steps.map(({ args }: { args: string[] }) => args[0])
  expect(scripts).not.toEqual([])
  expect(scripts.filter((script: string) => !existsSync(script))).toEqual([])
})

const sample = `
substitutions:
  _SERVICE: orders
  _CPU: '1'
options:
  logging: CLOUD_LOGGING_ONLY
serviceAccount: projects/$PROJECT_ID/serviceAccounts/build@$PROJECT_ID.iam.gserviceaccount.com
availableSecrets:
  secretManager:
    - versionName: projects/$PROJECT_ID/secrets/auth/versions/latest
      env: AUTH_SECRET
timeout: 600s
steps:
  - id: check
    name: node
    args: [test]
    env: &variables [SERVICE=$_SERVICE, 'CPU=\${_CPU}', COMMIT=$COMMIT_SHA]
    timeout: 200s
  - id: build
    name: docker
    script: echo $$HOME
    env: *variables
    waitFor: ['-']
    timeout: 200s
  - id: staging-acceptance
    name: node
    secretEnv: [AUTH_SECRET]
    waitFor: [check, build]
    timeout: 200s
`

describe('what Cloud Build would not take is seen', () => {
  test('in a sample that it would take', () => {
    expect(problemsOf(sample)).toEqual([])
  })

  test.each([
    ['an unknown key', 'id: check', 'retries: 3\n    id: check', 'steps.0: Unrecognized key: "retries"'],
    ['a step without a name', 'name: docker', '', 'steps.1.name: Invalid input'],
    ['a script beside args', "waitFor: ['-']", 'args: [x]', 'steps.1: a script has no args'],
    ['steps that take longer', 'timeout: 600s', 'timeout: 599s', 'the steps may take 600 s together'],
    [
      'a substitution of a build',
      'CLOUD_LOGGING_ONLY',
      'NONE\n  env: [A=$_CPU]',
      'options has a substitution',
    ],
    ['a time in minutes', 'timeout: 600s', 'timeout: 10m', 'timeout: must be seconds, such as 600s'],
    ['a time that is a number', 'timeout: 600s', 'timeout: 600', 'timeout: Invalid input'],
    ['a default that is no text', "_CPU: '1'", '_CPU: 1', 'substitutions._CPU: Invalid input'],
    ['a name in lower case', '_CPU:', '_cpu:', 'substitutions._cpu: Invalid key'],
    ['a variable that is not defined', 'SERVICE=$_SERVICE', 'SERVICE=$_SERVCE', '$_SERVCE is not defined'],
    ['a variable that is not used', 'SERVICE=$_SERVICE, ', '', '_SERVICE is not used'],
    ['a shell variable with one $', '$$HOME', '$HOME', '$HOME is not defined'],
    ['a step that comes later', "['-']", '[staging-acceptance]', 'build waits for staging-acceptance'],
    ['two steps of one name', 'id: build', 'id: check', 'check is there twice'],
    ['a step without its stage', 'id: check', 'id: lint', 'lint does not say its stage'],
    ['a secret from nowhere', '[AUTH_SECRET]', '[SECRET]', 'the secret SECRET is not both'],
    ['a secret for nobody', 'secretEnv: [AUTH_SECRET]', '', 'the secret AUTH_SECRET is not both'],
    ['no place for the logs', 'CLOUD_LOGGING_ONLY', 'LEGACY', 'it must say where its logs go'],
  ])('%s', (_name, from, to, problem) => {
    expect(sample).toContain(from)
    expect(problemsOf(sample.replace(from, () => to)).join('\n')).toContain(problem)
  })
})

/** Stands in for Cloud Build. Returns its URL and the builds that it was given. */
async function startRecorder() {
  const builds: unknown[] = []
  const server = createServer(async (request, response) => {
    builds.push(await json(request))
    const metadata = { build: { id: '1', projectId: 'my-project', status: 'QUEUED' } }
    const type = 'type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata'
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ name: 'operations/1', metadata: { '@type': type, ...metadata } }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, builds }
}

if (gcloudIsInstalled) {
  test('the real CLI hands on all that is written, and the substitutions of the command', async () => {
    const { url, builds } = await startRecorder()
    const where = ['--config=cloudbuild.yaml', '--project=my-project', '--no-source', '--async']
    await runGcloud(['builds', 'submit', ...where, '--substitutions=_UNTIL=image'], {
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD: url,
      CLOUDSDK_AUTH_ACCESS_TOKEN: 'none',
    })
    expect(builds).toEqual([{ ...build, substitutions: { ...build.substitutions, _UNTIL: 'image' } }])
  })
}
