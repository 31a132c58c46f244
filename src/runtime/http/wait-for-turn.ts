import { setImmediate } from 'node:timers/promises'

let last: Promise<unknown> = Promise.resolve()

/**
 * Waits for a turn of the event loop of its own. If many large bodies arrive at once, only one is checked per turn, so that
 * small requests are served in between.
 */
export function waitForTurn(): Promise<unknown> {
  last = last.then(() => setImmediate())
  return last
}
