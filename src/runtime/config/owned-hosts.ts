import type { Config } from './config.ts'

/** The hosts that the service owns: that of SERVICE_URL first, then ALLOWED_HOSTS. */
export function ownedHosts(config: Pick<Config, 'SERVICE_URL' | 'ALLOWED_HOSTS'>): string[] {
  return [...(config.SERVICE_URL ? [new URL(config.SERVICE_URL).host] : []), ...config.ALLOWED_HOSTS]
}
