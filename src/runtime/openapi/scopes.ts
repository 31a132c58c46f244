/** The parts of a contract that name scopes. */
interface Secured {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { security?: Record<string, string[]>[] }>>>
  >
}

/**
 * The scopes that an OpenAPI document names, sorted: a token with all of them may call every operation.
 *
 * @example
 * scopesIn({ paths: { '/orders': { get: { security: [{ bearer: ['orders:read'] }] } } } }) // → ['orders:read']
 */
export function scopesIn({ paths }: Secured): string[] {
  const requirements = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ security = [] }) => security)
  return [...new Set(requirements.flatMap((schemes) => Object.values(schemes).flat()))].sort()
}
