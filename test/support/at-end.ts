import { afterAll } from 'vitest'

const cleanups: (() => unknown)[] = []

/**
 * Does something when the file ends, what was asked for last first. It may be asked for inside a test, where
 * vitest would forget an `afterAll`.
 */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})
