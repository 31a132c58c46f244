import { vi } from 'vitest'

// Whatever a test waits for comes, however slow the machine is: a limit is there to catch what never comes.
const patienceMs = 120_000

const { waitFor } = vi
vi.waitFor = (callback, options) =>
  waitFor(callback, { timeout: patienceMs, ...(typeof options === 'object' && options) })
