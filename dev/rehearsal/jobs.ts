import type { Environment } from '../settings.ts'
import type { Flags } from './format.ts'
import type { Command } from './gcloud.ts'
import { runGroup } from './group.ts'
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
      async ({ name, flags }) => {
        const { folder: cwd, environment } = imageOf(project, flags)
        const broken = project.migrationsFail && { PGOPTIONS: '-c default_transaction_read_only=on' }
        const env = { ...environment, ...secretsOf(project, flags), ...broken, CLOUD_RUN_JOB: name }
        await runGroup(`${flags.command},${flags.args}`.split(','), { cwd, env })
      },
    ],
    'secrets versions list': [
      '',
      ({ name }) => {
        const secret = `projects/${project.number}/secrets/${name}`
        const values = project.secrets.get(name)
        if (!values) throw new Refusal(`NOT_FOUND: Secret [${secret}] not found.`)
        return values.map((_value, index) => ({
          name: `${secret}/versions/${index + 1}`,
          createTime: new Date(index * 1000).toISOString(),
          state: 'ENABLED',
        }))
      },
    ],
  }
}
