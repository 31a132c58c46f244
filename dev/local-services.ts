import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { startCloudTasks } from './local/cloud-tasks.ts'
import { startDatabase } from './local/database.ts'
import type { LocalService } from './local/local-service.ts'
import type { Environment } from './machine/settings.ts'

/** A service that runs on this machine, with the name that the terminal shows. */
interface Local {
  readonly name: string
  /** @param environment the variables of those before it included */
  start(environment: Environment): Promise<LocalService>
}

/** What `npm run dev` starts before the service, in this order. It stops them in the reverse order. */
export const localServices: readonly Local[] = [
  { name: 'PostgreSQL', start: startDatabase },
  { name: 'Cloud Tasks', start: startCloudTasks },
  ...(await standIns()),
]

/** `start` of `dev/FEATURE/stand-in.ts` starts a stand-in for a service that the feature calls. */
async function standIns(): Promise<Local[]> {
  const files = globSync('*/stand-in.ts', { cwd: import.meta.dirname }).sort()
  const modules = files.map(async (file) => {
    const { start } = await import(new URL(file.replaceAll('\\', '/'), import.meta.url).href)
    return { name: `What ${dirname(file)} calls`, start }
  })
  return Promise.all(modules)
}
