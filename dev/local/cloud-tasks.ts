import { createEmulator, type Emulator, usualPort } from '../cloud-tasks/emulator.ts'
import { tickPath } from '../cloud-tasks/scheduler.ts'
import { say } from '../machine/say.ts'
import type { Environment } from '../machine/settings.ts'
import type { LocalService } from './local-service.ts'

const queue = 'projects/dev/locations/local/queues/default'
const invoker = 'tasks@dev.iam.gserviceaccount.com'

/** Cloud Tasks of development: an emulator, unless TASKS_QUEUE or CLOUD_TASKS_EMULATOR_HOST says what to use. */
export async function startCloudTasks(environment: Environment): Promise<LocalService> {
  if (environment.TASKS_QUEUE || environment.CLOUD_TASKS_EMULATOR_HOST) {
    return { environment: {}, facts: [['Tasks', 'yours (TASKS_QUEUE)']], stop: async () => {} }
  }
  const emulator = await createOnUsualPort()
  const retryConfig = { maxAttempts: -1, minBackoff: '1s', maxBackoff: '60s' }
  emulator.createQueue(queue, { retryConfig })
  const url = `http://localhost:${environment.PORT}`
  emulator.schedule({ url: `${url}${tickPath}`, audience: url, email: invoker, everySeconds: 60 })
  const variables = {
    TASKS_QUEUE: queue,
    TASKS_INVOKER: invoker,
    TASKS_URL: url,
    ...emulator.variables,
  }
  return { environment: variables, facts: [['Tasks', emulator.url]], stop: emulator.close }
}

async function createOnUsualPort(): Promise<Emulator> {
  // the service's own line says what is done
  const log = (line: string, done?: boolean) => (done ? undefined : say(line))
  try {
    return await createEmulator({ port: usualPort, log })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    say(`Port ${usualPort} is taken: the emulator of Cloud Tasks listens on another.`)
    return createEmulator({ log })
  }
}
