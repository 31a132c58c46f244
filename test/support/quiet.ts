import { guarded as guardedFetch } from '#dev/guard/guarded.ts'

const watched = new Set<() => Promise<void>>()

/** An app whose requests are watched: a test fails that leaves a timer or a socket behind its answer. */
export function guarded<Rest extends unknown[]>(app: {
  fetch: (request: Request, ...rest: Rest) => Response | Promise<Response>
}) {
  const fetch = guardedFetch((request: Request, ...rest: Rest) => app.fetch(request, ...rest))
  watched.add(fetch.assertQuiet)
  return { fetch }
}

/** Rejects with what the requests so far left behind. */
export async function assertQuiet(): Promise<void> {
  for (const assert of watched) await assert()
}

/** Watches none of the apps so far. Called at the end of each file. */
export function forgetApps(): void {
  watched.clear()
}
