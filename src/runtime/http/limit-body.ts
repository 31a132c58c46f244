import { bodyLimit } from 'hono/body-limit'
import { Problem, problems } from './problem.ts'
import type { Step } from './validation.ts'

/** 1 MiB. */
const defaultLimit = 1024 * 1024

/**
 * Refuses a body over the limit, by its length where one is stated, else while it is read.
 *
 * @param maxSize bytes
 */
export function limitBody(maxSize = defaultLimit): Step {
  const limit = bodyLimit({
    maxSize,
    onError() {
      throw new Problem(problems.BODY_TOO_LARGE, {
        detail: `The body may have ${maxSize} bytes at most.`,
        headers: { Connection: 'close' }, // what was not read makes the connection useless for another request
      })
    },
  })
  return async function limitBody(c) {
    await limit(c, async () => {})
  }
}
