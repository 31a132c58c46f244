import { onTestFinished } from 'vitest'

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

/** Does what was asked for outside tests. Called at the end of each file. */
export async function endFile(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}
