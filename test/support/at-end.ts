import { afterAll, onTestFinished } from 'vitest'

const cleanups: (() => unknown)[] = []

/** Does something when the test ends, or outside a test when the file does; what was asked for last, first. */
export function atEnd(cleanup: () => unknown): void {
  try {
    onTestFinished(async () => void (await cleanup()))
  } catch {
    // outside a test
    cleanups.push(cleanup)
  }
}

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})
