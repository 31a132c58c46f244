import type { Resource } from './format.ts'
import type { Command } from './gcloud.ts'
import type { Project } from './project.ts'
import { Refusal } from './stand-ins.ts'

/** The commands about Cloud Tasks, whose queues are the emulator's, and about Cloud Scheduler. */
export function tasks({
  id,
  region,
  emulator,
  schedulerJobs,
  resolve,
}: Project): Readonly<Record<string, Command>> {
  const parent = `projects/${id}/locations/${region}`

  async function call(method: string, path = '', body?: object): Promise<Resource[]> {
    const init = { method, ...(body && { body: JSON.stringify(body) }) }
    const answer = await fetch(`${emulator.url}/v2/${parent}/queues${path}`, init)
    const { error, queues = [] } = (await answer.json()) as { error?: Error; queues?: Resource[] }
    if (error) throw new Refusal(error.message)
    return queues
  }

  const queue = (isNew: boolean): Command => [
    'max-attempts= min-backoff= max-backoff= max-concurrent-dispatches= max-dispatches-per-second=',
    async ({ name, flags }) => {
      const { 'min-backoff': minBackoff, 'max-backoff': maxBackoff } = flags
      const maxConcurrentDispatches = Number(flags['max-concurrent-dispatches'])
      const maxDispatchesPerSecond = Number(flags['max-dispatches-per-second'])
      const settings = {
        name: `${parent}/queues/${name}`,
        rateLimits: { maxConcurrentDispatches, maxDispatchesPerSecond },
        retryConfig: { maxAttempts: Number(flags['max-attempts']), minBackoff, maxBackoff },
      }
      if (!isNew) await call('GET', `/${name}`) // PATCH would make it
      await call(isNew ? 'POST' : 'PATCH', isNew ? '' : `/${name}`, settings)
    },
  ]

  /** Records the job, and makes its first call at once. */
  const scheduled = (isNew: boolean): Command => [
    'schedule= time-zone= uri= http-method= attempt-deadline= oidc-service-account-email= oidc-token-audience=',
    async ({ name, flags }) => {
      if (schedulerJobs.has(name) === isNew) throw new Refusal(isNew ? 'ALREADY_EXISTS' : 'NOT_FOUND')
      const {
        uri = '',
        'oidc-token-audience': audience = '',
        'oidc-service-account-email': email = '',
      } = flags
      const status = await emulator.tick({ url: resolve(uri), audience: resolve(audience), email })
      schedulerJobs.set(name, { ...flags, status: `${status}` })
    },
  ]

  return {
    'tasks queues list': ['', () => call('GET')],
    'tasks queues create': queue(true),
    'tasks queues update': queue(false),
    'scheduler jobs list': [
      '',
      () => [...schedulerJobs.keys()].map((name) => ({ name: `${parent}/jobs/${name}` })),
    ],
    'scheduler jobs create http': scheduled(true),
    'scheduler jobs update http': scheduled(false),
  }
}
