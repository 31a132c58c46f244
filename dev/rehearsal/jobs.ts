import { imageOf, secretsOf } from './deploy.ts'
import type { Command } from './gcloud.ts'
import { startGroup } from './group.ts'
import type { Project } from './project.ts'
import { Refusal } from './stand-ins.ts'

/** The commands about Cloud Run's jobs, and about secrets. */
export function jobs(project: Project): Record<string, Command> {
  return {
    'run jobs deploy': {
      flags:
        `image= command= args= service-account= set-secrets= set-cloudsql-instances= clear-cloudsql-instances
        tasks= max-retries= task-timeout= execute-now wait`.replaceAll(/\s+/g, ' '),
      async run(given) {
        const { name, flags, complain } = given
        const image = imageOf(project, given)
        const env = { ...image.environment, ...secretsOf(project, given), CLOUD_RUN_JOB: name }
        project.jobs.set(
          name,
          Object.fromEntries(Object.entries(flags).map(([key, value = '']) => [key, value])),
        )
        const command = [flags.command ?? '', ...(flags.args?.split(',') ?? [])]
        const { exit } = startGroup(command, { cwd: image.folder, env, write: complain })
        if ((await exit) !== 0) throw new Refusal(`The execution of ${name} failed.`)
      },
    },
    'secrets versions list': {
      flags: '',
      run({ name }) {
        const path = `projects/${project.number}/secrets/${name}`
        const versions = project.secrets.get(name)
        if (!versions) throw new Refusal(`NOT_FOUND: Secret [${path}] not found.`)
        const createTime = (index: number) => new Date(index * 1000).toISOString()
        return versions.map((_value, index) => ({
          ...{ name: `${path}/versions/${index + 1}`, state: 'ENABLED', createTime: createTime(index) },
        }))
      },
    },
  }
}
