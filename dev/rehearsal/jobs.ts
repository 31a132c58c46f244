import type { Environment } from '../settings.ts'
import type { Flags } from './format.ts'
import type { Command } from './gcloud.ts'
import { startGroup } from './group.ts'
import type { Image } from './images.ts'
import type { Project } from './project.ts'
import { Refusal } from './stand-ins.ts'

/** The image that --image names by its digest. @throws {Refusal} if none was pushed */
export function imageOf(project: Project, { image: name = '' }: Flags): Image {
  const image = project.images.get(name)
  if (!image || !name.includes('@')) throw new Refusal(`Image '${name}' not found.`)
  return image
}

/** What --set-secrets says, as variables. @throws {Refusal} for an account, or a version for it, that is not there */
export function secretsOf(project: Project, flags: Flags): Environment {
  const { 'service-account': account = '', 'set-secrets': list = '' } = flags
  if (!project.accounts.includes(account)) throw new Refusal(`Service account ${account} does not exist.`)
  const read = (pair: string) => {
    const [, variable, secret = '', version = ''] = pair.match(/^(\w+)=(.*):(\d+|latest)$/) ?? []
    if (!secret.startsWith(account.replace(/@.*/, '-')))
      throw new Refusal(`Permission denied on secret: ${secret} for Revision service account ${account}.`)
    return [variable, project.secret(secret, version)]
  }
  return Object.fromEntries(list.split(',').map(read))
}

const flags = `image= command= args= service-account= set-secrets= set-cloudsql-instances= tasks= max-retries= task-timeout= execute-now wait`

/** The commands about Cloud Run's jobs, and about secrets. */
export function jobs(project: Project): Readonly<Record<string, Command>> {
  return {
    'run jobs deploy': [
      flags,
      async ({ name, flags, signal, complain: write }) => {
        const { folder: cwd, environment } = imageOf(project, flags)
        const env = { ...environment, ...secretsOf(project, flags), CLOUD_RUN_JOB: name }
        const command = `${flags.command},${flags.args}`.split(',')
        const status = await startGroup(command, { cwd, env, write, signal }).exit
        if (status !== 0) throw new Refusal(`The execution of ${name} failed.`)
      },
    ],
    'secrets versions list': [
      '',
      ({ name }) => {
        const secret = `projects/${project.number}/secrets/${name}`
        const values = project.secrets.get(name)
        if (!values) throw new Refusal(`NOT_FOUND: Secret [${secret}] not found.`)
        const createTime = (index: number) => new Date(index * 1000).toISOString()
        const version = (index: number) => ({
          name: `${secret}/versions/${index + 1}`,
          createTime: createTime(index),
        })
        return values.map((_value, index) => ({ ...version(index), state: 'ENABLED' }))
      },
    ],
  }
}
