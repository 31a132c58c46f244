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
  expect(scripts.length).toBeGreaterThan(10)
  expect(scripts.filter((script: string) => !existsSync(script))).toEqual([])
})

describe('what it would not take is seen', () => {
  test.each([
    ['an unknown key', 'id: check', 'id: check\n    retries: 3', 'steps.0: Unrecognized key: "retries"'],
    ['a time in minutes', 'timeout: 5400s', 'timeout: 90m', 'timeout: must be seconds, such as 600s'],
    ['a time that is a number', 'timeout: 5400s', 'timeout: 5400', 'timeout: Invalid input'],
    ['a default that is no text', "_CPU: '1'", '_CPU: 1', 'substitutions._CPU: Invalid input'],
    ['a name in lower case', '_MEMORY: 1Gi', '_memory: 1Gi', 'substitutions._memory: Invalid key'],
    ['a variable that is not defined', 'SERVICE=$_SERVICE', 'SERVICE=$_SERVCE', '$_SERVCE is not defined'],
    ['a variable that is not used', 'MEMORY=$_MEMORY', 'MEMORY=1Gi', '_MEMORY is not used'],
    ['a shell variable with one $', 'args: [deploy/check]', 'args: ["$HOME"]', '$HOME is not defined'],
    ['a step that comes later', 'waitFor: [check, build]', 'waitFor: [check, push]', 'try waits for push'],
    ['two steps of one name', 'id: build', 'id: check', 'check is there twice'],
    ['a step without its stage', 'id: push', 'id: upload', 'upload does not say its stage'],
    ['a secret from nowhere', 'secretEnv: [AUTH_SECRET]', 'secretEnv: [SECRET]', 'the secret SECRET'],
    ['no place for the logs', 'logging: CLOUD_LOGGING_ONLY', 'logging: LEGACY', 'where its logs go'],
  ])('%s', (_name, from, to, problem) => {
    const broken = text.replace(from, to)
    expect(broken).not.toBe(text)
    expect(problemsOf(broken).join('\n')).toContain(problem)
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
  }, 60_000)
}
