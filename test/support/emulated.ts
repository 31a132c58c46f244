import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { freePort } from '#dev/machine/ports.ts'
import { atEnd } from './at-end.ts'
import { type ServiceProcess, startService } from './process.ts'
import { emulated, testTasks } from './task-variables.ts'

/** Spawns the bundle as `startService` does, with an emulator that calls it back in real time. */
export async function startEmulated(environment: Record<string, string>): Promise<ServiceProcess> {
  const emulator = await createEmulator()
  atEnd(() => emulator.close())
  emulator.createQueue(testTasks.TASKS_QUEUE, { retryConfig: { minBackoff: '1s', maxAttempts: -1 } })
  const port = String(await freePort())
  return startService({ ...emulated(emulator, `http://127.0.0.1:${port}`), PORT: port, ...environment })
}
