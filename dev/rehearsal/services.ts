import type { Flags, Resource } from './format.ts'
import type { Command } from './gcloud.ts'
import type { Instance } from './instance.ts'
import type { Project } from './project.ts'
import { Refusal } from './stand-ins.ts'

/** A revision: what it was deployed with (its variables with secrets resolved), and its process. */
export interface Revision {
  readonly name: string
  readonly flags: Flags
  readonly environment: Readonly<Record<string, string>>
  readonly instance: Instance
  ready: boolean
}

/** An element of Google's `status.traffic`. */
export interface Target {
  readonly revisionName: string
  readonly latestRevision?: true
  readonly percent?: number
  readonly tag?: string
  readonly url?: string
}

/** A service. Its traffic stays what it was set to: a pin outlives a deploy. */
export interface Service {
  readonly name: string
  readonly url: string
  readonly revisions: Revision[]
  traffic: readonly Target[]
}

/** The newest ready revision's name. */
export const latestReady = ({ revisions }: Service) => revisions.findLast(({ ready }) => ready)?.name

/** Ends the instances that nobody can reach. They start again with their first request. */
export async function rest({ revisions, traffic }: Service): Promise<void> {
  const idle = revisions.filter(({ name }) => !traffic.some(({ revisionName }) => revisionName === name))
  await Promise.all(idle.map(({ instance }) => instance.stop()))
}

/** The commands about services, but for `run deploy`. */
export function services(project: Project): Record<string, Command> {
  function find(name = ''): Service {
    const service = project.services.get(name)
    if (!service) throw new Refusal(`Cannot find service [${name}]`)
    return service
  }

  return {
    'run services list': ['', () => [...project.services.values()].map(describe)],
    'run services describe': ['', ({ name }) => [describe(find(name))]],
    'run revisions list': [
      'service=',
      ({ flags }) => find(flags.service).revisions.toReversed().map(describeRevision),
    ],
    'run services update-traffic': [
      'to-revisions= to-latest remove-tags=',
      async ({ name, flags }) => {
        const service = find(name)
        const { 'to-revisions': shares = flags['to-latest'] && 'LATEST=100', 'remove-tags': tags = '' } =
          flags
        const kept = service.traffic.filter(({ tag = '' }) => !tags.split(',').includes(tag))
        const untagged = shares ? read(service, shares) : service.traffic.filter(({ tag }) => !tag)
        service.traffic = [...untagged, ...kept.filter(({ tag }) => tag)]
        await rest(service)
      },
    ],
  }
}

function read(service: Service, shares: string): Target[] {
  const targets = shares.split(',').map((pair): Target => {
    const [key, percent] = pair.split('=')
    const latest = key === 'LATEST' ? ({ latestRevision: true } as const) : {}
    const name = latest.latestRevision ? latestReady(service) : key
    const revision = service.revisions.find((other) => other.name === name)
    if (!revision?.ready) throw new Refusal(`Revision ${key} of ${service.name} is not there, or not ready`)
    return { revisionName: revision.name, percent: Number(percent), ...latest }
  })
  if (targets.reduce((sum, { percent = 0 }) => sum + percent, 0) !== 100)
    throw new Refusal(`${shares}: a sum that is not 100 is not imitated`)
  return targets
}

function describe(service: Service): Resource {
  const { name, url, traffic } = service
  return { metadata: { name }, status: { url, traffic, latestReadyRevisionName: latestReady(service) } }
}

function describeRevision({ name, ready, flags: { image } }: Revision): Resource {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  return { metadata: { name }, spec: { containers: [{ image }] }, status: { conditions } }
}
