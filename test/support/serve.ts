import { auth, features, middleware, problemFormat, readiness, reporter, responseHeaders } from '#src/app.ts'
import type { Feature } from '#src/runtime/feature.ts'
import { problemDetails } from '#src/runtime/http/problem-format.ts'
import type { CreateMiddleware } from '#src/runtime/routes/caller-middleware.ts'

/**
 * Runs src/main.ts with these features in place of the service's own, and with the runtime's defaults in place of what
 * the service fills in: for what test/setup/bundle.ts bundles.
 */
export function serve(...instead: readonly Feature[]): void {
  const list = features as Feature[]
  list.splice(0, list.length, ...instead)
  const before = middleware as CreateMiddleware[]
  before.splice(0, before.length)
  Object.defineProperties(problemFormat, Object.getOwnPropertyDescriptors(problemDetails))
  for (const seam of [auth, reporter, readiness, responseHeaders] as Record<string, unknown>[])
    for (const name of Object.keys(seam)) delete seam[name]
  void import('#src/main.ts')
}
