import type { Resource } from './format.ts'
import type { Command, Given } from './gcloud.ts'
import type { Project } from './project.ts'
import { Refusal } from './stand-ins.ts'

/** The commands about Cloud Tasks, whose queues are the emulator's, and about Cloud Scheduler. */
export function tasks(project: Project): Record<string, Command> {
  const parent = `projects/${project.id}/locations/${project.region}`

  async function call(method: string, path: string, body?: object) {
    const init = { method, ...(body && { body: JSON.stringify(body) }) }
    const answer = await fetch(`${project.emulator.url}/v2/${parent}/queues${path}`, init)
    const { error, queues = [] } = (await answer.json()) as { error?: Error; queues?: Resource[] }
    if (error) throw new Refusal(error.message)
    return queues
  }

  const queue = (method: string): Command => ({
    flags: 'max-attempts= min-backoff= max-backoff= max-concurrent-dispatches= max-dispatches-per-second=',
    async run({ name, flags }) {
      if (method === 'PATCH') await call('GET', `/${name}`)
      await call(method, method === 'POST' ? '' : `/${name}`, {
        name: `${parent}/queues/${name}`,
        rateLimits: {
          maxConcurrentDispatches: Number(flags['max-concurrent-dispatches']),
          maxDispatchesPerSecond: Number(flags['max-dispatches-per-second']),
        },
        retryConfig: {
          maxAttempts: Number(flags['max-attempts']),
          minBackoff: flags['min-backoff'],
          maxBackoff: flags['max-backoff'],
        },
      })
    },
  })

  /** Records a job, and makes its first call at once. */
  const scheduled = (isNew: boolean): Command => ({
    flags: `schedule= time-zone= uri= http-method= attempt-deadline= oidc-service-account-email=
      oidc-token-audience=`.replaceAll(/\s+/g, ' '),
    async run({ name, flags: { uri = '', ...flags } }: Given) {
      if (project.schedulerJobs.has(name) === isNew)
        throw new Refusal(`Job ${name}: ${isNew ? 'ALREADY_EXISTS' : 'NOT_FOUND'}`)
      const { 'oidc-token-audience': audience = '', 'oidc-service-account-email': email = '' } = flags
      const target = { url: project.resolve(uri), audience: project.resolve(audience), email }
      const status = await project.emulator.tick(target)
      const said = Object.entries({ uri, ...flags, status: `${status}` })
      project.schedulerJobs.set(name, Object.fromEntries(said.map(([key, value = '']) => [key, value])))
    },
  })

  return {
    'tasks queues list': { flags: '', run: () => call('GET', '') },
    'tasks queues create': queue('POST'),
    'tasks queues update': queue('PATCH'),
    'scheduler jobs list': {
      flags: '',
      run: () => [...project.schedulerJobs.keys()].map((name) => ({ name: `${parent}/jobs/${name}` })),
    },
    'scheduler jobs create http': scheduled(true),
    'scheduler jobs update http': scheduled(false),
  }
}
