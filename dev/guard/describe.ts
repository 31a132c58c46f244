import type { Leftover } from './track.ts'

/** Describes leftovers for a person: the request, what is alive, and where it was started. */
export function describe(left: readonly Leftover[]): string {
  const lines = left.map(
    ({ type, stack, request }) => `${request}: ${type} is still alive, started\n${stack}`,
  )
  return `Something runs outside a request, where there is no CPU on Cloud Run:\n${lines.join('\n')}`
}
