import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { startCloudTasks } from './cloud-tasks.ts'
import { startDatabase } from './database.ts'
import type { Environment } from './settings.ts'

/** What runs beside the service in `npm run dev`, in this process or tied to it. */
export interface LocalService {
  /** Variables by which the service finds it. */
  readonly environment: Environment
  /** What a person wants to know of it, by name. */
  readonly facts: readonly (readonly [name: string, fact: string])[]
  stop(): Promise<void>
}

/** One of them, by the name that a person knows. */
interface Local {
  readonly name: string
  /** @param environment with what those before it have added */
  start(environment: Environment): Promise<LocalService>
}

/** Started in this order; stopped in the reverse. */
export const localServices: readonly Local[] = [
  { name: 'PostgreSQL', start: startDatabase },
  { name: 'Cloud Tasks', start: startCloudTasks },
  ...(await standIns()),
]

/** What features bring: `start` of `dev/FEATURE/stand-in.ts` starts a stand-in for a service that the feature calls. */
async function standIns(): Promise<Local[]> {
  const files = globSync('*/stand-in.ts', { cwd: import.meta.dirname }).sort()
  const modules = files.map(async (file) => {
    const { start } = await import(new URL(file.replaceAll('\\', '/'), import.meta.url).href)
    return { name: `What ${dirname(file)} calls`, start }
  })
  return Promise.all(modules)
}
