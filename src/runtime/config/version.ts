import metadata from '../../../package.json' with { type: 'json' }
import type { Config } from './config.ts'

/** Which build of which service runs where. */
export interface Version {
  readonly service: string
  readonly revision: string
  readonly version: string
  readonly commit: string
  readonly environment: 'development' | 'staging' | 'live'
}

/** The service's name and version come from package.json where the environment does not say. */
export function describeVersion(config: Config): Version {
  return {
    service: config.K_SERVICE ?? metadata.name,
    revision: config.K_REVISION ?? 'unknown',
    version: config.VERSION ?? metadata.version,
    commit: config.COMMIT,
    environment: config.ENVIRONMENT,
  }
}
