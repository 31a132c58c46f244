import type { ApiKey } from '../auth/api-key.ts'
import { authenticationOf } from '../http/security.ts'
import type { Operation, PlainOperation } from './route.ts'

/**
 * The API keys that routes take, each once.
 *
 * @throws {Error} if two different keys have the same name: the contract could not distinguish them
 * @example
 * const headers = apiKeysOf(mounted).map(({ header }) => header)
 */
export function apiKeysOf(mounted: readonly { operation: Operation | PlainOperation }[]): ApiKey[] {
  const keys = new Map<string, ApiKey>()
  for (const { operation } of mounted)
    for (const scheme of authenticationOf(operation.route.security).schemes) {
      if (scheme === 'token') continue
      if ((keys.get(scheme.name) ?? scheme) !== scheme)
        throw new Error(`Two API keys have the name ${scheme.name}: rename one.`)
      keys.set(scheme.name, scheme)
    }
  return [...keys.values()]
}
