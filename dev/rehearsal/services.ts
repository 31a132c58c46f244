import type { Flags, Resource } from './format.ts'
import type { Command } from './gcloud.ts'
import type { Instance } from './instance.ts'
import { pairs } from './pairs.ts'
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
interface Target {
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
export function services({ services }: Project): Readonly<Record<string, Command>> {
  function find(name = ''): Service {
    const service = services.get(name)
    if (!service) throw new Refusal(`Cannot find service [${name}]`)
    return service
  }

  return {
    'run services list': ['', () => [...services.values()].map(describe)],
    'run services describe': ['', ({ name }) => [describe(find(name))]],
    'run revisions list': ['service=', ({ flags }) => find(flags.service).revisions.map(describeRevision)],
    'run services update-traffic': [
      'to-revisions= to-latest remove-tags=',
      async ({ name, flags }) => {
        const service = find(name)
        const shares = flags['to-latest'] ? 'LATEST=100' : flags['to-revisions']
        const gone = flags['remove-tags']?.split(',') ?? []
        const tagged = service.traffic.filter(({ tag }) => tag && !gone.includes(tag))
        const untagged = shares ? read(service, shares) : service.traffic.filter(({ tag }) => !tag)
        service.traffic = [...untagged, ...tagged]
        await rest(service)
      },
    ],
  }
}

function read(service: Service, shares: string): Target[] {
  const targets = Object.entries(pairs(shares.split(','))).map(([key, percent]): Target => {
    const latest = key === 'LATEST' && ({ latestRevision: true } as const)
    const revisionName = latest ? `${latestReady(service)}` : key
    if (!service.revisions.find(({ name }) => name === revisionName)?.ready)
      throw new Refusal(`Revision ${key} of ${service.name} is not there, or not ready`)
    return { revisionName, percent: Number(percent), ...latest }
  })
  if (targets.reduce((sum, { percent = 0 }) => sum + percent, 0) !== 100)
    throw new Refusal(`${shares}: a sum that is not 100 is not imitated`)
  return targets
}

function describe(service: Service): Resource {
  const { name, url, traffic } = service
  return { metadata: { name }, status: { url, traffic, latestReadyRevisionName: latestReady(service) } }
}

function describeRevision({ name, ready, flags: { image } }: Revision, index: number): Resource {
  const creationTimestamp = new Date(index * 1000).toISOString()
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  return { metadata: { name, creationTimestamp }, spec: { containers: [{ image }] }, status: { conditions } }
}
