import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Command } from './gcloud.ts'
import { createInstance } from './instance.ts'
import { imageOf, secretsOf } from './jobs.ts'
import type { Project } from './project.ts'
import { latestReady, type Revision, rest, type Service } from './services.ts'
import { Refusal } from './stand-ins.ts'

/** What a service's name and a tag's have together, at most. */
const nameLimit = 46
const variables = z.record(z.string(), z.string())
const flags = `image= revision-suffix= tag= no-traffic service-account= no-invoker-iam-check cpu= memory= concurrency=
  timeout= min-instances= max-instances= cpu-boost startup-probe= env-vars-file= set-secrets= set-cloudsql-instances=
  clear-cloudsql-instances`

/** `gcloud run deploy`: a new revision, which has traffic only where the latest one has. */
export function deploy(project: Project): Command {
  async function front(host: string, service: () => Service): Promise<string> {
    const [tag] = host.split('---')
    return project.front(host, () => {
      const { revisions, traffic } = service()
      const target = traffic.find((one) => (tag === host ? one.percent : one.tag === tag))
      const revision = revisions.find(({ name }) => name === target?.revisionName)
      return revision?.instance.port() ?? Promise.reject(new Error('No revision has this traffic'))
    })
  }

  return [flags, run]

  async function run({ name, flags, folder }: Parameters<Command[1]>[0]): Promise<void> {
    const { tag, 'env-vars-file': file = '', 'startup-probe': probe = '', 'no-traffic': noTraffic } = flags
    const revisionName = `${name}-${flags['revision-suffix']}`
    const [image, secrets] = [imageOf(project, flags), secretsOf(project, flags)]
    const plain = variables.parse(parse(await readFile(resolve(folder, file), 'utf8')))
    const existing = project.services.get(name)
    if (!existing && noTraffic) throw new Refusal('--no-traffic not supported when creating a new service.')
    if (noTraffic && existing && !latestReady(existing))
      throw new Refusal('--no-traffic: there is no ready revision that the traffic could stay with.')
    const unready = existing?.revisions.filter(({ ready }) => !ready).map((revision) => revision.name)
    const stuck = existing?.traffic.find(({ revisionName }) => unready?.includes(revisionName))
    if (stuck) throw new Refusal(`Revision '${stuck.revisionName}' is not ready and cannot serve traffic.`)
    if (tag && name.length + tag.length > nameLimit)
      throw new Refusal(`The tag ${tag} is too long for ${name}.`)
    if (existing?.revisions.some((other) => other.name === revisionName))
      throw new Refusal(`Revision named '${revisionName}' with different configuration already exists.`)

    const url = existing?.url ?? (await front(name, () => service))
    const service: Service = existing ?? { name, url, revisions: [], traffic: [] }
    project.services.set(name, service)
    const served = latestReady(service)
    const own = Object.entries({ ...plain, ...secrets }).map(([key, value]) => [key, project.resolve(value)])
    const environment = { ...Object.fromEntries(own), K_SERVICE: name, K_REVISION: revisionName }
    const instance = createInstance(image, { ...environment, ...project.platform }, probe)
    const revision: Revision = { name: revisionName, flags, environment, instance, ready: false }
    service.revisions.push(revision)
    await instance.port().catch(({ message }: Error) => {
      if (tag) service.traffic = [...service.traffic, { revisionName, tag }]
      throw new Refusal(`Revision '${revisionName}' is not ready and cannot serve traffic. ${message}`)
    })
    revision.ready = true

    const first = { revisionName, latestRevision: true, percent: 100 } as const
    const latest =
      noTraffic && served ? { revisionName: served } : { revisionName, latestRevision: true as const }
    service.traffic = (served ? service.traffic : [first]).map(({ latestRevision, ...target }) => {
      return latestRevision ? { ...target, ...latest } : target
    })
    if (tag) {
      const url = await front(`${tag}---${name}`, () => service)
      service.traffic = [...service.traffic, { revisionName, tag, url }]
    }
    await rest(service)
  }
}
