import { afterAll, vi } from 'vitest'
import { endFile } from '#test/support/at-end.ts'

// The files of a worker share its modules and its clock. What a file has started or changed ends with it.
afterAll(async () => {
  vi.useRealTimers()
  await endFile()
})
