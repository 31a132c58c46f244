import { auth, features, problemFormat, readiness, reporter } from '#src/app.ts'
import type { Feature } from '#src/runtime/feature.ts'
import { problemDetails } from '#src/runtime/http/problem-format.ts'

/**
 * Runs src/main.ts with these features in place of the service's own, and with the runtime's defaults in place of what
 * the service fills in: for what test/setup/bundle.ts bundles.
 */
export function serve(...instead: readonly Feature[]): void {
  const list = features as Feature[]
  list.splice(0, list.length, ...instead)
  Object.defineProperties(problemFormat, Object.getOwnPropertyDescriptors(problemDetails))
  for (const seam of [auth, reporter, readiness] as Record<string, unknown>[])
    for (const name of Object.keys(seam)) delete seam[name]
  void import('#src/main.ts')
}
