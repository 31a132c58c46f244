import type { Project } from '../project/project.ts'
import { latestReady, resourceOf, type Service, type Target } from '../project/service.ts'
import { Refusal } from '../shell/programs.ts'
import type { Command, Commands } from './command.ts'
import type { Flags } from './format.ts'

/** The commands about services and their traffic, without `run deploy`. */
export function serviceCommands({ services }: Project): Commands {
  function find(name = ''): Service {
    const service = services.get(name)
    if (!service) throw new Refusal(`Cannot find service [${name}]`)
    return service
  }

  const describe = (name: string) => resourceOf(name, find(name))

  const listRevisions: Command['run'] = ({ flags }) =>
    find(flags.service).revisions.map(({ name, port }, index) => ({
      metadata: { name, creationTimestamp: new Date(index * 1000).toISOString() },
      status: { conditions: [{ type: 'Ready', status: port ? 'True' : 'False' }] },
    }))

  const updateTraffic: Command['run'] = async ({ name, flags }) => {
    const service = find(name)
    const removed = flags['remove-tags']?.split(',') ?? []
    const tagged = service.traffic.filter(({ tag }) => tag && !removed.includes(tag))
    service.traffic = [...sharesOf(service, flags), ...tagged]
    service.version++
    const newest = service.revisions.at(-1) // gcloud reports its failure, though traffic has moved
    if (!newest?.port) throw new Refusal(`Revision '${newest?.name}' is not ready and cannot serve traffic.`)
  }

  return {
    'run services list': { run: () => [...services.keys()].map(describe) },
    'run services describe': { run: ({ name }) => [describe(name)] },
    'run revisions list': { flags: 'service=', run: listRevisions },
    'run services update-traffic': { flags: 'to-latest remove-tags=', run: updateTraffic },
  }
}

/** How traffic is to be shared: as it was, unless it goes to the latest. */
function sharesOf(service: Service, flags: Flags): Target[] {
  if (flags['to-latest'])
    return [{ revisionName: `${latestReady(service)}`, percent: 100, latestRevision: true }]
  return service.traffic.filter(({ tag }) => !tag)
}
