import type { Project } from '../project/project.ts'
import { Refusal } from '../shell/programs.ts'
import type { Command, Commands } from './command.ts'

const ofQueues =
  'max-attempts= min-backoff= max-backoff= max-concurrent-dispatches= max-dispatches-per-second='
const ofJobs =
  'schedule= time-zone= uri= http-method= attempt-deadline= oidc-service-account-email= oidc-token-audience='

/** The commands about Cloud Tasks, whose queues are the emulator's, and about Cloud Scheduler. */
export function taskCommands(project: Project): Commands {
  const { emulator, schedulerJobs, resolve } = project
  const place = `projects/${project.id}/locations/${project.region}`
  const queues = () => emulator.state().queues
  const jobs = () => [...schedulerJobs.keys()].map((name) => ({ name: `${place}/jobs/${name}` }))

  const saveQueue: Command['run'] = async ({ name, flags }) => {
    const { 'min-backoff': minBackoff, 'max-backoff': maxBackoff } = flags
    const maxConcurrentDispatches = Number(flags['max-concurrent-dispatches'])
    const maxDispatchesPerSecond = Number(flags['max-dispatches-per-second'])
    const settings = {
      rateLimits: { maxConcurrentDispatches, maxDispatchesPerSecond },
      retryConfig: { maxAttempts: Number(flags['max-attempts']), minBackoff, maxBackoff },
    }
    const init = { method: 'PATCH', body: JSON.stringify(settings) } // creates the queue where it is missing
    const response = await fetch(`${emulator.url}/v2/${place}/queues/${name}`, init)
    if (!response.ok) throw new Refusal(await response.text())
  }

  /** Records the job, and makes its first call at once. */
  const saveJob: Command['run'] = async ({ name, flags }) => {
    const { uri = '', 'oidc-token-audience': audience = '', 'oidc-service-account-email': email = '' } = flags
    const status = await emulator.tick({ url: resolve(uri), audience: resolve(audience), email })
    schedulerJobs.set(name, { ...flags, status: `${status}` })
  }

  /** Saves one that must exist already (`update`), or must not (`create`). */
  function saving(list: typeof jobs, mustExist: boolean, save: Command['run']): Command['run'] {
    return async (given) => {
      if (list().some(({ name }) => name.endsWith(`/${given.name}`)) !== mustExist)
        throw new Refusal(mustExist ? 'NOT_FOUND: Requested entity was not found' : 'ALREADY_EXISTS')
      await save(given)
    }
  }

  return {
    'tasks queues list': { run: queues },
    'tasks queues create': { flags: ofQueues, run: saving(queues, false, saveQueue) },
    'tasks queues update': { flags: ofQueues, run: saving(queues, true, saveQueue) },
    'scheduler jobs list': { run: jobs },
    'scheduler jobs create http': { flags: ofJobs, run: saving(jobs, false, saveJob) },
    'scheduler jobs update http': { flags: ofJobs, run: saving(jobs, true, saveJob) },
  }
}
