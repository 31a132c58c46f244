import type { Project } from '../project.ts'
import { Refusal } from '../shell/programs.ts'
import type { Command } from './gcloud.ts'

const ofQueues =
  'max-attempts= min-backoff= max-backoff= max-concurrent-dispatches= max-dispatches-per-second='
const ofJobs =
  'schedule= time-zone= uri= http-method= attempt-deadline= oidc-service-account-email= oidc-token-audience='

/** The commands about Cloud Tasks, whose queues are the emulator's, and about Cloud Scheduler. */
export function tasks(project: Project): Readonly<Record<string, Command>> {
  const { emulator, schedulerJobs, resolve } = project
  const place = `projects/${project.id}/locations/${project.region}`
  const queues = () => emulator.state().queues
  const jobs = () => [...schedulerJobs.keys()].map((name) => ({ name: `${place}/jobs/${name}` }))

  const saveQueue: Command[1] = async ({ name, flags }) => {
    const { 'min-backoff': minBackoff, 'max-backoff': maxBackoff } = flags
    const maxConcurrentDispatches = Number(flags['max-concurrent-dispatches'])
    const maxDispatchesPerSecond = Number(flags['max-dispatches-per-second'])
    const settings = {
      rateLimits: { maxConcurrentDispatches, maxDispatchesPerSecond },
      retryConfig: { maxAttempts: Number(flags['max-attempts']), minBackoff, maxBackoff },
    }
    const init = { method: 'PATCH', body: JSON.stringify(settings) } // makes the queue where it is missing
    const answer = await fetch(`${emulator.url}/v2/${place}/queues/${name}`, init)
    if (!answer.ok) throw new Refusal(await answer.text())
  }

  /** Records the job, and makes its first call at once. */
  const saveJob: Command[1] = async ({ name, flags }) => {
    const { uri = '', 'oidc-token-audience': audience = '', 'oidc-service-account-email': email = '' } = flags
    const status = await emulator.tick({ url: resolve(uri), audience: resolve(audience), email })
    schedulerJobs.set(name, { ...flags, status: `${status}` })
  }

  /** Saves one that must be there before (`update`), or must not (`create`). */
  function saving(list: typeof jobs, isThere: boolean, save: Command[1]): Command[1] {
    return async (given) => {
      if (list().some(({ name }) => name.endsWith(`/${given.name}`)) !== isThere)
        throw new Refusal(isThere ? 'NOT_FOUND: Requested entity was not found' : 'ALREADY_EXISTS')
      await save(given)
    }
  }

  return {
    'tasks queues list': ['', queues],
    'tasks queues create': [ofQueues, saving(queues, false, saveQueue)],
    'tasks queues update': [ofQueues, saving(queues, true, saveQueue)],
    'scheduler jobs list': ['', jobs],
    'scheduler jobs create http': [ofJobs, saving(jobs, false, saveJob)],
    'scheduler jobs update http': [ofJobs, saving(jobs, true, saveJob)],
  }
}
