import type { Environment } from '../machine/settings.ts'

/** What runs beside the service in `npm run dev`, in this process or tied to it. */
export interface LocalService {
  /** Variables by which the service finds it. */
  readonly environment: Environment
  /** What a person wants to know about it, by name. */
  readonly facts: readonly (readonly [name: string, fact: string])[]
  stop(): Promise<void>
}
