import type { Config } from './config.ts'

/**
 * The hosts that the service owns: that of SERVICE_URL first, then ALLOWED_HOSTS.
 *
 * @example
 * ownedHosts({ SERVICE_URL: 'https://a.example.com', ALLOWED_HOSTS: ['b.example.com'] }) // → ['a.example.com', 'b.example.com']
 */
export function ownedHosts(config: Pick<Config, 'SERVICE_URL' | 'ALLOWED_HOSTS'>): string[] {
  return [...(config.SERVICE_URL ? [new URL(config.SERVICE_URL).host] : []), ...config.ALLOWED_HOSTS]
}
