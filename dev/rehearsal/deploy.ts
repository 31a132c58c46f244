import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Command } from './gcloud.ts'
import { startInstance } from './instance.ts'
import { imageOf, secretsOf } from './jobs.ts'
import type { Project } from './project.ts'
import { latestReady, portOf, type Service } from './services.ts'
import { Refusal } from './stand-ins.ts'

/** What a service's name and a tag's have together, at most. */
const nameLimit = 46
const variables = z.record(z.string(), z.string())
const flags = `image= revision-suffix= tag= no-traffic service-account= no-invoker-iam-check cpu= memory= concurrency=
  timeout= min-instances= max-instances= cpu-boost startup-probe= env-vars-file= set-secrets= set-cloudsql-instances=
  clear-cloudsql-instances`

/** `gcloud run deploy`: a new revision, which has traffic only where the latest one has. */
export function deploy(project: Project): Command {
  return [flags, run]

  async function run({ name, flags, folder }: Parameters<Command[1]>[0]): Promise<void> {
    const { tag, 'env-vars-file': file = '', 'startup-probe': probe = '', 'no-traffic': noTraffic } = flags
    const revisionName = `${name}-${flags['revision-suffix']}`
    const [image, secrets] = [imageOf(project, flags), secretsOf(project, flags)]
    const plain = variables.parse(parse(await readFile(resolve(folder, file), 'utf8')))
    const existing = project.services.get(name)
    const served = existing && latestReady(existing)
    if (noTraffic && !served)
      throw new Refusal(
        '--no-traffic not supported when creating a new service, or before a revision is ready.',
      )
    const stuck = existing?.traffic.find((target) => !portOf(existing, target.revisionName))
    if (stuck) throw new Refusal(`Revision '${stuck.revisionName}' is not ready and cannot serve traffic.`)
    if (tag && name.length + tag.length > nameLimit)
      throw new Refusal(`The tag ${tag} is too long for ${name}.`)
    if (existing?.revisions.some((other) => other.name === revisionName))
      throw new Refusal(`Revision named '${revisionName}' with different configuration already exists.`)

    const service: Service = existing ?? { name, url: await project.front(name), revisions: [], traffic: [] }
    project.services.set(name, service)
    const own = Object.entries(plain).map(([key, value]) => [key, project.resolve(value)])
    const google = { K_SERVICE: name, K_REVISION: revisionName, ...project.platform }
    const environment = { ...Object.fromEntries(own), ...secrets, ...google }
    const revision: Service['revisions'][number] = { name: revisionName, image: flags.image, environment }
    service.revisions.push(revision)
    try {
      revision.port = await startInstance(image, environment, probe)
    } catch (error) {
      if (tag) service.traffic.push({ revisionName, tag })
      throw error
    }

    if (!served) service.traffic = [{ revisionName, latestRevision: true, percent: 100 }]
    service.traffic = service.traffic.map(({ latestRevision, ...target }) => {
      if (!latestRevision) return target
      return noTraffic && served
        ? { ...target, revisionName: served }
        : { ...target, revisionName, latestRevision }
    })
    if (tag) service.traffic.push({ revisionName, tag, url: await project.front(`${tag}---${name}`) })
  }
}
