import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Victim } from './service.ts'

/**
 * A request of the service to Cloud Tasks or the carrier has arrived, or its response has been sent: the service commits
 * in between. This process serves nobody else.
 */
const moments = ['http.server.request.start', 'http.server.response.finish']

/**
 * Kills the service at some of these moments, whatever else it is doing.
 *
 * @param gap how many moments to let pass before the next time
 */
export function killRepeatedly(service: Victim, times: number, gap: () => number) {
  const over = Promise.withResolvers<void>()
  let killed = 0
  let left = gap()

  function onMoment(): void {
    if (--left !== 0) return
    killed += 1
    const again = () => {
      if (killed < times) left = gap()
      else over.resolve()
    }
    service.kill().then(again, () => {}) // the next client learns why it did not start
  }
  for (const name of moments) subscribe(name, onMoment)

  return {
    /** Resolves when it listens after the last time. */
    over: over.promise,
    /** How often it was killed so far. */
    count: () => killed,
    /** Lets it live from now on. */
    stop(): void {
      for (const name of moments) unsubscribe(name, onMoment)
    },
  }
}
