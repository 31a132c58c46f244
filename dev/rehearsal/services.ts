import { deploy } from './deploy.ts'
import type { Resource } from './format.ts'
import type { Command } from './gcloud.ts'
import type { Instance } from './instance.ts'
import type { Project } from './project.ts'
import { Refusal } from './stand-ins.ts'

/** A revision: what it was deployed with, and its process. */
export interface Revision {
  readonly name: string
  /** All flags of its deploy. */
  readonly flags: Readonly<Record<string, string | undefined>>
  /** Its variables, secrets resolved. */
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

/** A service. Its traffic is what it was set to: a pin stays. */
export interface Service {
  readonly name: string
  readonly url: string
  readonly revisions: Revision[]
  traffic: Target[]
}

/** The newest ready revision. */
export const latestReady = ({ revisions }: Service) => revisions.findLast(({ ready }) => ready)

/** The commands about Cloud Run's services. */
export function services(project: Project): Record<string, Command> {
  function find(name: string): Service {
    const service = project.services.get(name)
    if (!service) throw new Refusal(`Cannot find service [${name}]`)
    return service
  }

  return {
    'run services list': { flags: '', run: () => [...project.services.values()].map(describe) },
    'run services describe': { flags: '', run: ({ name }) => [describe(find(name))] },
    'run services update-traffic': {
      flags: 'to-revisions= to-latest remove-tags=',
      async run({ name, flags }) {
        const service = find(name)
        const tags = flags['remove-tags']?.split(',') ?? []
        const percents = read(service, flags['to-latest'] ? 'LATEST=100' : flags['to-revisions'])
        const tagged = service.traffic.filter(({ tag }) => tag && !tags.includes(tag))
        service.traffic = [...(percents ?? service.traffic.filter(({ percent }) => percent)), ...tagged]
        for (const tag of tags) {
          project.fronts.get(`${tag}---${name}`)?.close()
          project.fronts.delete(`${tag}---${name}`)
        }
        await rest(service)
      },
    },
    'run revisions list': {
      flags: 'service=',
      run: ({ flags }) =>
        find(flags.service ?? '')
          .revisions.toReversed()
          .map(describeRevision),
    },
    'run deploy': deploy(project),
  }
}

function read(service: Service, text: string | undefined): Target[] | undefined {
  const targets = text?.split(',').map((pair): Target => {
    const [key = '', percent] = pair.split('=')
    const latest = key === 'LATEST' ? ({ latestRevision: true } as const) : {}
    const revision = latest.latestRevision
      ? latestReady(service)
      : service.revisions.find(({ name }) => name === key)
    if (!revision?.ready) throw new Refusal(`Revision ${key} of ${service.name} is not there, or not ready`)
    return { revisionName: revision.name, percent: Number(percent), ...latest }
  })
  const sum = targets?.reduce((total, { percent = 0 }) => total + percent, 0) ?? 100
  if (sum !== 100) throw new Refusal(`${text} makes ${sum} percent: less than 100 is not imitated`)
  return targets
}

/** Ends the instances that nobody can reach. They start again with the first request. */
export async function rest({ revisions, traffic }: Service): Promise<void> {
  const idle = revisions.filter(({ name }) => !traffic.some(({ revisionName }) => revisionName === name))
  await Promise.all(idle.map(({ instance }) => instance.stop()))
}

function describe(service: Service): Resource {
  const { name, url, traffic } = service
  const status = { url, traffic, latestReadyRevisionName: latestReady(service)?.name }
  return { metadata: { name }, status }
}

function describeRevision({ name, ready, flags: { image } }: Revision): Resource {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  return { metadata: { name }, spec: { containers: [{ image }] }, status: { conditions } }
}
