import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Environment } from '../../machine/settings.ts'
import type { Image } from '../project/image.ts'
import type { Project } from '../project/project.ts'
import { latestReady, portOf, type Revision, type Service } from '../project/service.ts'
import { endOf } from '../shell/group.ts'
import { Refusal } from '../shell/programs.ts'
import type { Command, Commands, Given } from './command.ts'
import type { Flags } from './format.ts'
import { startInstance } from './instance.ts'

/** How long the names of a service and of a tag may be together. */
const nameLimit = 46
const variables = z.record(z.string(), z.string())
const both = 'image= service-account= set-secrets= set-cloudsql-instances='
const ofServices = `${both} revision-suffix= tag= no-traffic no-invoker-iam-check cpu= memory= concurrency= timeout=
  min= max= min-instances= max-instances= cpu-boost startup-probe= env-vars-file= clear-cloudsql-instances command= args=`
const ofJobs = `${both} command= args= tasks= max-retries= task-timeout= execute-now wait`

/** The commands that run an image, as the next revision of a service or as a job, and the one that lists its secrets. */
export function deployCommands(project: Project): Commands {
  function imageOf({ image: name = '' }: Flags): Image {
    const image = project.images.get(name)
    if (!image || !name.includes('@')) throw new Refusal(`Image '${name}' not found.`)
    return image
  }

  /** The variables that --set-secrets says. */
  function secretsOf({ 'service-account': account = '', 'set-secrets': list = '' }: Flags): Environment {
    if (!project.accounts.includes(account)) throw new Refusal(`Service account ${account} does not exist.`)
    const read = (pair: string) => {
      const [, variable, secret = '', version = ''] = pair.match(/^(\w+)=(.*):(\d+|latest)$/) ?? []
      if (!secret.startsWith(account.replace(/@.*/, '-')))
        throw new Refusal(`Permission denied on secret: ${secret} for Revision service account ${account}.`)
      return [variable, project.secret(secret, version)]
    }
    return Object.fromEntries(list.split(',').map(read))
  }

  /** Reads what a revision is to be. @throws {Refusal} what Google refuses before it creates anything */
  async function readRevision({ name, flags, folder }: Given) {
    const { tag, 'env-vars-file': file, 'no-traffic': noTraffic, command } = flags
    const revisionName = `${name}-${flags['revision-suffix']}`
    const [image, secrets] = [imageOf(flags), file ? secretsOf(flags) : {}]
    const plain = file ? variables.parse(parse(await readFile(resolve(folder, file), 'utf8'))) : {}
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
    const line = command ? [command, ...splitList(flags.args)] : undefined
    return { revisionName, image, secrets, plain, existing, served, line }
  }

  const checkService: Command['run'] = async (given) => {
    await readRevision(given)
  }

  /** Creates a revision. It has traffic only where the latest one has. */
  const deployService: Command['run'] = async (given) => {
    const { name, flags } = given
    const { tag, 'startup-probe': probe, 'no-traffic': noTraffic } = flags
    const { revisionName, image, secrets, plain, existing, served, line } = await readRevision(given)
    const annotations = { 'serving.knative.dev/creator': 'me' }
    const service: Service = existing ?? {
      ...{ url: await project.front(name), revisions: [], annotations, version: 0, traffic: [] },
    }
    project.services.set(name, service)
    service.version++
    const own = Object.entries(plain).map(([key, value]) => [key, project.resolve(value)])
    const emulated = { K_REVISION: revisionName, ...project.emulator.variables }
    const environment = { ...Object.fromEntries(own), ...secrets, ...emulated }
    const google = { ...plain, ...secrets, K_SERVICE: name, K_REVISION: revisionName }
    const revision: Revision = { name: revisionName, image: flags.image, environment }
    service.revisions.push(revision)
    try {
      // once as Cloud Run does, where the service refuses an emulator; then with one
      await (await startInstance(image, google, { probe, line })).stop()
      revision.port = (await startInstance(image, environment, { probe, line })).port
    } catch (error) {
      if (tag) service.traffic.push({ revisionName, tag })
      throw error
    }

    if (!served) service.traffic = [{ revisionName, latestRevision: true, percent: 100 }]
    const following = service.traffic.filter(({ latestRevision }) => latestRevision)
    for (const target of following) {
      if (noTraffic) target.latestRevision = false
      else target.revisionName = revisionName
    }
    if (tag) service.traffic.push({ revisionName, tag, url: await project.front(`${tag}---${name}`) })
  }

  const deployJob: Command['run'] = async ({ name, flags }) => {
    const broken = project.migrationsFail && { PGOPTIONS: '-c default_transaction_read_only=on' }
    const environment = { ...secretsOf(flags), ...broken, CLOUD_RUN_JOB: name }
    await endOf(imageOf(flags).start(environment, `${flags.command},${flags.args}`.split(',')))
  }

  const listVersions: Command['run'] = ({ name }) => {
    const values = project.secrets.get(name)
    if (!values) throw new Refusal(`NOT_FOUND: Secret [${name}] not found.`)
    return values.map((_value, index) => ({
      name: `projects/${project.number}/secrets/${name}/versions/${index + 1}`,
      createTime: new Date(index * 1000).toISOString(),
      state: 'ENABLED',
    }))
  }

  return {
    'run deploy': { flags: ofServices, run: deployService },
    'beta run deploy': { flags: `${ofServices} dry-run`, run: checkService },
    'run jobs deploy': { flags: ofJobs, run: deployJob },
    'secrets versions list': { run: listVersions },
  }
}

/** The elements of a list as gcloud reads it: `a,b`, or `^;^a;b` with a separator of its own. */
function splitList(text = ''): string[] {
  const [, separator = ',', list = text] = /^\^([^^]+)\^(.*)$/s.exec(text) ?? []
  return list.split(separator)
}
