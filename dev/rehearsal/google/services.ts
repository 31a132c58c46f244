import type { Environment } from '../../machine/settings.ts'
import type { Project } from '../project.ts'
import { Refusal } from '../shell/programs.ts'
import type { Flags } from './format.ts'
import type { Command } from './gcloud.ts'

/** A revision. Its instance runs until the project ends. */
export interface Revision {
  readonly name: string
  /** The name of its image. */
  readonly image: string | undefined
  /** Its variables, with secrets resolved. */
  readonly environment: Environment
  /** Where its instance answers, once it is ready. */
  port?: number
}

/** An element of Google's `spec.traffic` and `status.traffic`. */
export interface Target {
  revisionName: string
  latestRevision?: boolean | undefined
  readonly percent?: number | undefined
  readonly tag?: string | undefined
  readonly url?: string | undefined
}

/** A service, the newest of its revisions last. Its traffic stays what it was set to: a pin outlives a deploy. */
export interface Service {
  readonly url: string
  readonly revisions: Revision[]
  /** Its annotations, as Google always has some. */
  annotations: Record<string, string>
  /** Counts its changes. */
  version: number
  traffic: Target[]
}

/** The newest ready revision's name. */
export const latestReady = ({ revisions }: Service) => revisions.findLast(({ port }) => port)?.name

/** Where a revision answers, if there is one of this name and it is ready. */
export const portOf = ({ revisions }: Service, name: string) =>
  revisions.find((revision) => revision.name === name)?.port

/** A service as Cloud Run's API has it, keys in order. */
export function resourceOf(name: string, service: Service) {
  const { annotations, traffic, url, version } = service
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { annotations, name, resourceVersion: `v${version}` },
    spec: { template: { spec: { containers: [] } }, traffic: traffic.map(({ url, ...target }) => target) },
    status: { latestReadyRevisionName: latestReady(service), traffic, url },
  }
}

/** The commands about services and their traffic, but for `run deploy`. */
export function services({ services }: Project): Readonly<Record<string, Command>> {
  function find(name = ''): Service {
    const service = services.get(name)
    if (!service) throw new Refusal(`Cannot find service [${name}]`)
    return service
  }

  const describe = (name: string) => resourceOf(name, find(name))

  return {
    'run services list': ['', () => [...services.keys()].map(describe)],
    'run services describe': ['', ({ name }) => [describe(name)]],
    'run revisions list': [
      'service=',
      ({ flags }) =>
        find(flags.service).revisions.map(({ name, port }, index) => ({
          metadata: { name, creationTimestamp: new Date(index * 1000).toISOString() },
          status: { conditions: [{ type: 'Ready', status: port ? 'True' : 'False' }] },
        })),
    ],
    'run services update-traffic': [
      'to-latest remove-tags=',
      async ({ name, flags }) => {
        const service = find(name)
        const gone = flags['remove-tags']?.split(',') ?? []
        const tagged = service.traffic.filter(({ tag }) => tag && !gone.includes(tag))
        service.traffic = [...sharesOf(service, flags), ...tagged]
        service.version++
        const newest = service.revisions.at(-1) // of whose failure gcloud tells, though traffic has moved
        if (!newest?.port)
          throw new Refusal(`Revision '${newest?.name}' is not ready and cannot serve traffic.`)
      },
    ],
  }
}

/** How traffic is to be shared: as it was, unless it goes to the latest. */
function sharesOf(service: Service, flags: Flags): Target[] {
  if (flags['to-latest'])
    return [{ revisionName: `${latestReady(service)}`, percent: 100, latestRevision: true }]
  return service.traffic.filter(({ tag }) => !tag)
}
