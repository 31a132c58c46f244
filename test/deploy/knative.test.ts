import { once } from 'node:events'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test, vi } from 'vitest'
import { atEnd } from '#test/support/at-end.ts'
import { gcloudIsInstalled, gcloudVersion } from '#test/support/gcloud.ts'
import { scripts } from '#test/support/scripts.ts'

vi.setConfig({ testTimeout: 600_000 })

/** A service in Cloud Run's API, as far as these tests look at it. */
interface Knative {
  readonly metadata: {
    readonly name: string
    readonly annotations: Record<string, string>
    readonly resourceVersion?: string
    readonly generation?: number
  }
  readonly spec: { template: Record<string, unknown>; traffic?: readonly Record<string, unknown>[] }
  readonly status?: unknown
}

/** Cloud Run's API for one service, behind a proxy: the real gcloud makes a host name of its own for each region. */
async function pretendApi() {
  const sent: Knative[] = []
  let service: Knative | undefined
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(`${request.url}`, 'http://localhost')
    const answer = (value: unknown, status = 200) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
    }
    if (pathname.endsWith('/version')) return answer({ revision: service?.spec.traffic?.[0]?.revisionName })
    if (pathname.endsWith('getIamPolicy')) return answer({})
    if (pathname.endsWith('/services/run.googleapis.com')) return answer({ state: 'ENABLED' })
    if (!pathname.includes('/apis/serving.knative.dev/v1/')) return answer({ error: { code: 404 } }, 404)
    if (request.method === 'GET' && pathname.endsWith('/services'))
      return answer({ items: service ? [service] : [] })
    if (request.method === 'GET') return service ? answer(service) : answer({ error: { code: 404 } }, 404)
    const given = JSON.parse(await text(request)) as Knative
    if (service && given.metadata.resourceVersion !== service.metadata.resourceVersion)
      return answer({ error: { code: 409 } }, 409)
    sent.push(given)
    const { name } = given.spec.template.metadata as { name: string }
    const traffic = given.spec.traffic ?? [{ latestRevision: true, percent: 100 }]
    service = {
      ...given,
      metadata: {
        ...given.metadata,
        annotations: { ...given.metadata.annotations, 'serving.knative.dev/creator': 'me' },
        generation: sent.length,
        resourceVersion: `v${sent.length}`,
      },
      spec: { ...given.spec, traffic },
      status: {
        conditions: ['Ready', 'ConfigurationsReady', 'RoutesReady'].map((type) => ({ type, status: 'True' })),
        observedGeneration: sent.length,
        latestCreatedRevisionName: name,
        latestReadyRevisionName: name,
        traffic: traffic.map((target) => ({
          revisionName: name,
          ...target,
          url: 'https://tagged.example.com',
        })),
        url: url(),
      },
    }
    answer(service)
  }).listen(0, '127.0.0.1')
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await once(server, 'listening')
  atEnd(() => server.close())
  const environment = {
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'none',
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: 'http://run.test/',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE: 'http://serviceusage.test/',
    CLOUDSDK_PROXY_TYPE: 'http',
    CLOUDSDK_PROXY_ADDRESS: '127.0.0.1',
    CLOUDSDK_PROXY_PORT: new URL(url()).port,
    RUN_API: url(),
  }
  return { url: url(), sent, environment }
}

const variables = '"ALLOWED_HOSTS": "a.example.com"\n"ODD": "x, y=\\"z\\" $é; ^|^"\n'

/** What the step notes that comes before. */
const notes: Record<string, string> = {
  image: `europe-west1-docker.pkg.dev/my-project/services/runway@sha256:${'0'.repeat(64)}`,
  'live/suffix': '261128-0000-abcdef12',
  'live/tag': 'b-abcdef12',
  'live/before': '',
  'live/variables.yaml': variables,
  'live/secrets': 'DATABASE_URL=runway-live-database-url:3,AUTH_SECRET=runway-live-auth-secret:1',
}

test('what the real gcloud sends for a first deploy, and for its traffic, is what is meant', async ({
  annotate,
}) => {
  const version = gcloudIsInstalled ? await gcloudVersion() : 0
  if (version < 575) {
    await annotate(
      `gcloud ${version || 'is not here, or'} is too old for: deploy/revision live, deploy/traffic live`,
    )
    return
  }
  const { url, sent, environment } = await pretendApi()
  const { folder, run } = await scripts()
  await mkdir(join(folder, '.build/live'), { recursive: true })
  const given = { ...notes, 'live/url': url }
  for (const [name, value] of Object.entries(given))
    await writeFile(join(folder, '.build', name), `${value}${value && '\n'}`)
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'sleep'), '#!/bin/sh\n')
  await chmod(join(bin, 'sleep'), 0o755)
  const env = {
    ...environment,
    PATH: [bin, process.env.PATH].join(delimiter),
    PROJECT_ID: 'my-project',
    BUILD_ID: 'abcdef12-3456',
    CLOUDSDK_CONFIG: join(folder, 'gcloud'),
  }
  for (const step of ['deploy/revision', 'deploy/traffic']) {
    const { status, stderr } = await run('bash', [step, 'live'], env)
    expect([step, status, status === 0 ? '' : stderr]).toEqual([step, 0, ''])
  }

  const revision = 'runway-live-261128-0000-abcdef12'
  const [closed, deployed, moved, ended] = sent
  expect(sent).toHaveLength(4)
  const annotations = { 'run.googleapis.com/invoker-iam-disabled': 'True' }
  expect(closed).toMatchObject({
    metadata: { annotations: { ...annotations, 'run.googleapis.com/maxScale': '1' } },
    spec: { template: { metadata: { name: 'runway-live-closed' } } },
  })
  expect(closed?.spec.template).toMatchObject({
    spec: {
      containers: [{ command: ['node'], args: ['-e', expect.stringContaining('"Retry-After": "60"')] }],
    },
  })
  const { template, traffic } = deployed?.spec ?? {}
  expect(deployed?.metadata.annotations).toMatchObject({
    ...annotations,
    'run.googleapis.com/maxScale': '2',
  })
  expect(traffic).toEqual([
    { percent: 100, revisionName: 'runway-live-closed' },
    { revisionName: revision, tag: 'b-abcdef12' },
  ])
  const { spec, metadata } = template as { spec: { containers: object[] }; metadata: object }
  expect(JSON.stringify(metadata)).not.toContain('Scale')
  expect(metadata).toMatchObject({
    annotations: { 'run.googleapis.com/cloudsql-instances': 'my-project:europe-west1:runway' },
  })
  expect(spec).toMatchObject({
    containerConcurrency: 80,
    serviceAccountName: 'runway-live@my-project.iam.gserviceaccount.com',
    timeoutSeconds: 300,
  })
  expect(spec.containers).toEqual([
    expect.objectContaining({
      env: [
        { name: 'ALLOWED_HOSTS', value: 'a.example.com' },
        { name: 'ODD', value: 'x, y="z" $é; ^|^' },
        secret('DATABASE_URL', 'runway-live-database-url', '3'),
        secret('AUTH_SECRET', 'runway-live-auth-secret', '1'),
      ],
      image: notes.image,
      resources: expect.objectContaining({ limits: { cpu: '1', memory: '1Gi' } }),
      startupProbe: {
        failureThreshold: 60,
        httpGet: { path: '/ping' },
        periodSeconds: 1,
        timeoutSeconds: 1,
      },
    }),
  ])
  expect(JSON.stringify(spec.containers)).not.toMatch(/"(command|args)"/)

  expect(moved?.spec.traffic).toEqual([
    { revisionName: revision, percent: 100 },
    { revisionName: revision, tag: 'b-abcdef12' },
  ])
  expect(moved?.spec.template).toEqual(template)
  expect(ended?.spec.traffic).toEqual([{ revisionName: revision, percent: 100 }])
  expect(ended?.metadata.annotations.passed?.trim()).toBe(revision)
})

function secret(variable: string, name: string, key: string) {
  return { name: variable, valueFrom: { secretKeyRef: { key, name } } }
}
