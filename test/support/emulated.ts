import { createEmulator, type Emulator } from '#dev/cloud-tasks/emulator.ts'
import { freePort } from '#dev/ports.ts'
import { atEnd } from './at-end.ts'
import { type ServiceProcess, startService } from './process.ts'
import { testTasks } from './task-variables.ts'

/** What a service needs to be called back by an emulator of Cloud Tasks. */
export function emulated(emulator: Emulator, url: string): Record<string, string> {
  return {
    ...testTasks,
    TASKS_URL: url,
    CLOUD_TASKS_EMULATOR_HOST: new URL(emulator.url).host,
    OIDC_ISSUERS: emulator.issuer,
    OIDC_JWKS_URL: emulator.keysUrl,
  }
}

/** Spawns the bundle as `startService` does, with an emulator that calls it back in real time. */
export async function startEmulated(environment: Record<string, string>): Promise<ServiceProcess> {
  const emulator = await createEmulator()
  atEnd(() => emulator.close())
  emulator.createQueue(testTasks.TASKS_QUEUE, { retryConfig: { minBackoff: '1s', maxAttempts: -1 } })
  const port = String(await freePort())
  return startService({ ...emulated(emulator, `http://127.0.0.1:${port}`), PORT: port, ...environment })
}
