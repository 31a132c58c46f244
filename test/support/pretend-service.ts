import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { atEnd } from './at-end.ts'
import { type Scripts, scripts } from './scripts.ts'

/** A target as Cloud Run's API has it. */
interface Target {
  readonly revisionName: string
  readonly percent?: number
  readonly tag?: string
}

/** What is sent to have a service replaced. */
interface Replacement {
  readonly metadata: { readonly resourceVersion: string; readonly annotations: Record<string, string> }
  readonly spec: { readonly template: object; readonly traffic: readonly Target[] }
}

/**
 * The scripts of deploy/, and a live service with these revisions, whose /version names the first that has traffic.
 *
 * @param state.traffic lines REVISION,PERCENT,TAG; without them nothing was ever deployed
 * @param state.revisions lines REVISION,READY,CREATED, the newest first
 * @param state.passed the revisions that passed their builds
 * @param state.mute a revision that never answers
 * @param state.onReplace called before a replacement is looked at; it may change the service
 */
export async function pretendService(state: {
  traffic?: string[]
  revisions?: string[]
  passed?: string[]
  mute?: string
  onReplace?: (service: PretendService) => void
}): Promise<PretendService> {
  const project = await scripts('test/deploy/fixtures/service.sh')
  const file = (name: string) => join(project.google, name)
  const read = (name: string) => readFileSync(file(name), 'utf8')
  const lines = (all: readonly string[] = []) => all.map((line) => `${line}\n`).join('')
  const replaced: Replacement[] = []
  let version = 1

  const server = createServer(async (request, response) => {
    if (request.method === 'PUT') {
      const sent = (await json(request)) as Replacement
      state.onReplace?.(service)
      if (sent.metadata.resourceVersion !== `v${version}`) return response.writeHead(409).end('{}')
      replaced.push(sent)
      service.serve(
        sent.spec.traffic.map(
          ({ revisionName, percent = '', tag = '' }) => `${revisionName},${percent},${tag}`,
        ),
      )
      return response.end('{}')
    }
    if (request.url === '/service') {
      const metadata = {
        annotations: { passed: read('passed').trim(), 'run.googleapis.com/client-name': 'gcloud' },
      }
      const body = {
        ...{ apiVersion: 'serving.knative.dev/v1', kind: 'Service' },
        metadata: { ...metadata, name: 'runway-live', resourceVersion: `v${version}` },
        spec: { template: { metadata: { annotations: {} } }, traffic: [{ revisionName: 'old' }] },
        status: { traffic: [{ revisionName: 'old' }] },
      }
      return response.end(`${JSON.stringify(body, null, 2)}\n`)
    }
    const serving = read('traffic').split(/[,\n]/)[0]
    response.end(JSON.stringify({ version: '1', revision: serving === state.mute ? 'another' : serving }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const service: PretendService = {
    ...project,
    url,
    replaced,
    serve(traffic) {
      version++
      writeFileSync(file('traffic'), lines(traffic))
    },
    run: (command, args, environment) => project.run(command, args, { RUN_API: url, ...environment }),
  }
  writeFileSync(file('url'), url)
  writeFileSync(file('passed'), `${(state.passed ?? []).join(' ')}\n`)
  writeFileSync(file('revisions'), lines(state.revisions))
  if (state.traffic) writeFileSync(file('traffic'), lines(state.traffic))
  return service
}

/** The scripts, and what they met. */
export interface PretendService extends Scripts {
  readonly url: string
  /** What was sent to have the service replaced, and taken. */
  readonly replaced: readonly Replacement[]
  /** Moves the traffic, as somebody else does. */
  serve(traffic: readonly string[]): void
}
