import { globSync } from 'node:fs'
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

/** Starts one, with what those before it have added to the environment. */
type StartLocal = (environment: Environment) => Promise<LocalService>

/** Started in this order; stopped in the reverse. */
export const localServices: readonly StartLocal[] = [startDatabase, startCloudTasks, ...(await standIns())]

/** What features bring: `start` of `dev/FEATURE/stand-in.ts` starts a stand-in for a service that the feature calls. */
async function standIns(): Promise<StartLocal[]> {
  const files = globSync('*/stand-in.ts', { cwd: import.meta.dirname }).sort()
  const modules = files.map((file) => import(new URL(file.replaceAll('\\', '/'), import.meta.url).href))
  return (await Promise.all(modules)).map(({ start }) => start)
}
