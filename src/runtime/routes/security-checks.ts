import type { AuthOptions } from '../auth/verify.ts'
import { authenticationOf } from '../http/security.ts'
import type { Operation, PlainOperation } from './route.ts'

/**
 * Refuses a route that does not declare its security, a scheme that it never uses, and a handler that reads claims that are
 * not checked.
 *
 * @param auth how the service reads its tokens
 * @throws {Error} naming the route
 */
export function checkSecurity(
  routeName: string,
  { route, auth: needed }: Operation | PlainOperation,
  auth: AuthOptions,
): void {
  refuseWithoutSecurity(routeName, route.security)
  const headers = authenticationOf(route.security).schemes.map((scheme) =>
    scheme === 'token' ? 'authorization' : scheme.header.toLowerCase(),
  )
  const twice = headers.find((header, index) => headers.indexOf(header) < index)
  if (twice)
    throw new Error(
      `${routeName} takes two schemes from the header ${twice}, so it never uses the second: remove one.`,
    )
  if (needed && needed !== auth)
    throw new Error(
      `${routeName} reads claims that the service does not check: give createApp the \`auth\` whose handle() defines it.`,
    )
}

function refuseWithoutSecurity(routeName: string, security: unknown): void {
  const named =
    typeof security === 'string' && ['public', 'optional', 'authenticated', 'invoker'].includes(security)
  if (named || (areScopes(security) && security.length > 0) || areSchemes(security)) return
  throw new Error(
    `${routeName} does not declare its security. Give it security: ['a:scope'], 'authenticated', 'optional', 'public' or ` +
      "{ schemes: ['token', …], scopes: ['a:scope'] }.",
  )
}

function areSchemes(security: unknown): boolean {
  if (typeof security !== 'object' || security === null || !('schemes' in security)) return false
  const { schemes, scopes = [] }: { schemes: unknown; scopes?: unknown } = security
  return Array.isArray(schemes) && schemes.length > 0 && schemes.every(isScheme) && areScopes(scopes)
}

function isScheme(scheme: unknown): boolean {
  return scheme === 'token' || (typeof scheme === 'object' && scheme !== null && 'findOwner' in scheme)
}

function areScopes(scopes: unknown): scopes is unknown[] {
  return Array.isArray(scopes) && scopes.every(isScope)
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
function isScope(scope: unknown): boolean {
  return typeof scope === 'string' && /^[!#-[\]-~]+$/.test(scope)
}
