import metadata from '../../../package.json' with { type: 'json' }
import type { Config } from './config.ts'

/** The build that runs, and where it runs. */
export interface Version {
  readonly service: string
  readonly revision: string
  readonly version: string
  readonly commit: string
  readonly environment: 'development' | 'staging' | 'live'
}

/**
 * Describes the build that runs. Name and version come from package.json if the environment does not give them.
 *
 * @example
 * const { service, revision } = describeVersion(config)
 */
export function describeVersion(config: Config): Version {
  return {
    service: config.K_SERVICE ?? metadata.name,
    revision: config.K_REVISION ?? 'unknown',
    version: config.VERSION ?? metadata.version,
    commit: config.COMMIT,
    environment: config.ENVIRONMENT,
  }
}
