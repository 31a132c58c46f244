import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Environment } from '../settings.ts'
import type { Command, Given } from './gcloud.ts'
import { createInstance } from './instance.ts'
import type { Project } from './project.ts'
import { latestReady, type Revision, rest, type Service } from './services.ts'
import { Refusal } from './stand-ins.ts'

/** A service's name and a tag's, together. */
const nameLimit = 46

/** The image that was pushed under this name. @throws {Refusal} if none was */
export function imageOf(project: Project, { flags }: Given) {
  const image = project.images.pushed(flags.image ?? '')
  if (!image) throw new Refusal(`Image '${flags.image}' not found.`)
  return image
}

/** What --set-secrets says, as variables. @throws {Refusal} if the account, or a version that it may read, is not there */
export function secretsOf(project: Project, { flags }: Given): Environment {
  const account = flags['service-account'] ?? ''
  if (!project.accounts.includes(account)) throw new Refusal(`Service account ${account} does not exist.`)
  const pairs = flags['set-secrets']?.split(',').map((pair): [string, string] => {
    const [, variable = '', secret = '', version = ''] = pair.match(/^(\w+)=(.*):(\d+|latest)$/) ?? []
    const value = project.secret(secret, version)
    if (value === undefined) throw new Refusal(`Secret ${secret}/versions/${version} was not found`)
    if (!secret.startsWith(`${account.split('@')[0]}-`))
      throw new Refusal(`Permission denied on secret: ${secret} for Revision service account ${account}.`)
    return [variable, value]
  })
  return Object.fromEntries(pairs ?? [])
}

/** `gcloud run deploy`: a new revision; traffic moves only if the latest revision is what has it. */
export function deploy(project: Project): Command {
  async function createService(name: string): Promise<Service> {
    const url = await project.front(name, () => {
      const shares = service.traffic.flatMap((target) => new Array(target.percent ?? 0).fill(target))
      const target = shares[Math.floor(Math.random() * shares.length)]
      return portOf(service, target?.revisionName)
    })
    const service: Service = { name, url, revisions: [], traffic: [] }
    project.services.set(name, service)
    return service
  }

  async function portOf({ revisions }: Service, wanted?: string): Promise<number> {
    const revision = revisions.find(({ name }) => name === wanted)
    if (!revision) throw new Error('No revision has this traffic')
    return revision.instance.port()
  }

  return {
    flags:
      `image= revision-suffix= tag= no-traffic service-account= no-invoker-iam-check cpu= memory= concurrency=
      timeout= min-instances= max-instances= cpu-boost startup-probe= env-vars-file= set-secrets=
      set-cloudsql-instances= clear-cloudsql-instances`.replaceAll(/\s+/g, ' '),

    async run(given) {
      const { name, flags, folder } = given
      const { tag } = flags
      const image = imageOf(project, given)
      const secrets = secretsOf(project, given)
      const file = join(folder, flags['env-vars-file'] ?? '')
      const plain = z.record(z.string(), z.string()).parse(parse(await readFile(file, 'utf8')))
      if (tag && name.length + tag.length > nameLimit)
        throw new Refusal(
          `The tag ${tag} and the name ${name} have more than ${nameLimit} characters together`,
        )
      const before = project.services.get(name)
      const revisionName = `${name}-${flags['revision-suffix']}`
      if (!before && flags['no-traffic'])
        throw new Refusal('--no-traffic not supported when creating a new service.')
      if (before?.revisions.some((other) => other.name === revisionName))
        throw new Refusal(`Revision named '${revisionName}' with different configuration already exists.`)

      const service = before ?? (await createService(name))
      const own = Object.entries({ ...plain, ...secrets }).map(([key, value]) => [
        key,
        project.resolve(value),
      ])
      const environment = { ...Object.fromEntries(own), K_SERVICE: name, K_REVISION: revisionName }
      const instance = createInstance(
        image,
        { ...environment, ...project.platform },
        flags['startup-probe'] ?? '',
      )
      const served = latestReady(service)?.name
      const revision: Revision = { name: revisionName, flags, environment, instance, ready: false }
      service.revisions.push(revision)
      await instance.port().catch((error: Error) => {
        throw new Refusal(
          `Revision '${revisionName}' is not ready and cannot serve traffic. ${error.message}`,
        )
      })
      revision.ready = true

      const traffic =
        service.traffic.length > 0
          ? service.traffic
          : [{ revisionName, latestRevision: true, percent: 100 } as const]
      service.traffic = traffic.map(({ latestRevision, ...target }) => {
        if (!latestRevision) return target
        if (flags['no-traffic'] && served) return { ...target, revisionName: served }
        return { ...target, latestRevision, revisionName }
      })
      if (tag) {
        const url = await project.front(`${tag}---${name}`, () => portOf(service, revisionName))
        service.traffic.push({ revisionName, tag, url })
      }
      await rest(service)
    },
  }
}
