import { afterAll, afterEach, inject } from 'vitest'
import { exemptDatabase } from '#dev/guard/exempt.ts'
import { assertQuiet, forgetApps } from '#test/support/quiet.ts'

// Nothing runs outside a request: whatever a test asked of a service must be over with the answer.
exemptDatabase(inject('serverUrl'))

afterEach(assertQuiet)
afterAll(forgetApps)
