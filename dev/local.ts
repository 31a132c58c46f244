import { startCloudTasks } from './cloud-tasks.ts'
import { startDatabase } from './database.ts'
import type { Environment } from './settings.ts'
import { startWarehouse } from './warehouse.ts'

/** What runs beside the service in `npm run dev`, in this process or tied to it. */
export interface LocalService {
  /** Variables by which the service finds it. */
  readonly environment: Environment
  /** What a person wants to know of it, by name. */
  readonly facts: readonly (readonly [name: string, fact: string])[]
  stop(): Promise<void>
}

/** Started in this order, each with what those before it have added to the environment; stopped in the reverse. */
export const localServices: readonly ((environment: Environment) => Promise<LocalService>)[] = [
  startDatabase,
  startCloudTasks,
  startWarehouse,
]
