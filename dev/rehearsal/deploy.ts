import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Command } from './gcloud.ts'
import { createInstance } from './instance.ts'
import { imageOf, secretsOf } from './jobs.ts'
import type { Project } from './project.ts'
import { latestReady, rest, type Service } from './services.ts'
import { Refusal } from './stand-ins.ts'

/** What a service's name and a tag's have together, at most. */
const nameLimit = 46

/** `gcloud run deploy`: a new revision, which has traffic only where the latest one has. */
export function deploy(project: Project): Command {
  function portOf({ revisions }: Service, wanted: string | undefined): Promise<number> {
    const revision = revisions.find(({ name }) => name === wanted)
    return revision?.instance.port() ?? Promise.reject(new Error('No revision has this traffic'))
  }

  async function createService(name: string): Promise<Service> {
    const url = await project.front(name, async () => {
      const shares = service.traffic.flatMap((target) =>
        new Array<string>(target.percent ?? 0).fill(target.revisionName),
      )
      return portOf(service, shares[Math.floor(Math.random() * shares.length)])
    })
    const service: Service = { name, url, revisions: [], traffic: [] }
    project.services.set(name, service)
    return service
  }

  const known = `image= revision-suffix= tag= no-traffic service-account= no-invoker-iam-check cpu= memory=
    concurrency= timeout= min-instances= max-instances= cpu-boost startup-probe= env-vars-file= set-secrets=
    set-cloudsql-instances= clear-cloudsql-instances`
  return [
    known,
    async function deploy({ name, flags, folder }) {
      const { tag, 'env-vars-file': file = '', 'startup-probe': probe = '' } = flags
      const revisionName = `${name}-${flags['revision-suffix']}`
      const [image, secrets] = [imageOf(project, flags), secretsOf(project, flags)]
      const plain = z.record(z.string(), z.string()).parse(parse(await readFile(join(folder, file), 'utf8')))
      const existing = project.services.get(name)
      if (!existing && flags['no-traffic'])
        throw new Refusal('--no-traffic not supported when creating a new service.')
      if (tag && name.length + tag.length > nameLimit)
        throw new Refusal(`The tag ${tag} is too long for ${name}.`)
      if (existing?.revisions.some((other) => other.name === revisionName))
        throw new Refusal(`Revision named '${revisionName}' with different configuration already exists.`)

      const service = existing ?? (await createService(name))
      const served = latestReady(service)
      const own = Object.entries({ ...plain, ...secrets }).map(([key, value]) => [
        key,
        project.resolve(value),
      ])
      const environment = { ...Object.fromEntries(own), K_SERVICE: name, K_REVISION: revisionName }
      const instance = createInstance(image, { ...environment, ...project.platform }, probe)
      const revision = { name: revisionName, flags, environment, instance, ready: false }
      service.revisions.push(revision)
      await instance.port().catch((error: Error) => {
        throw new Refusal(
          `Revision '${revisionName}' is not ready and cannot serve traffic. ${error.message}`,
        )
      })
      revision.ready = true

      const latest = { latestRevision: true, percent: 100, revisionName } as const
      const traffic = service.traffic.length > 0 ? service.traffic : [latest]
      service.traffic = traffic.map(({ latestRevision, ...target }) => {
        if (!latestRevision) return target
        return flags['no-traffic'] && served ? { ...target, revisionName: served } : { ...target, ...latest }
      })
      if (tag) {
        const url = await project.front(`${tag}---${name}`, () => portOf(service, revisionName))
        service.traffic = [...service.traffic, { revisionName, tag, url }]
      }
      await rest(service)
    },
  ]
}
