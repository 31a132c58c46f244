import type { Emulator } from '#dev/cloud-tasks/emulator.ts'
import type { CloudTasks } from '#src/runtime/tasks/cloud-tasks.ts'
import { placeholders } from '../../placeholders.ts'

/** What the features do not start without, where Cloud Tasks is another's to set: `npm run dev`. */
export const featureVariables: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(placeholders).filter(([name]) => !name.startsWith('TASKS_')),
)

/** What a service under test does not start without; its tasks go to nobody, unless its test says otherwise. */
export const testTasks = {
  ...placeholders,
  TASKS_QUEUE: 'projects/test/locations/local/queues/default',
  TASKS_INVOKER: 'tasks@test.iam.gserviceaccount.com',
  TASKS_URL: 'http://127.0.0.1:1',
  CLOUD_TASKS_EMULATOR_HOST: '127.0.0.1:1',
}

/** What a service needs to be called back by an emulator of Cloud Tasks. */
export function emulated(emulator: Emulator, url: string): Record<string, string> {
  return { ...testTasks, TASKS_URL: url, ...emulator.variables }
}

/** Cloud Tasks as it is to a test that does not look: it takes everything, and never calls back. */
export const silentCloudTasks: CloudTasks = { create: async () => {}, has: async () => true }
