import { writeSync } from 'node:fs'
import { describe } from './describe.ts'
import { exemptDatabase } from './exempt.ts'
import { guardServers } from './http.ts'
import { idleLeftovers } from './track.ts'

// node --import ./dev/guard/preload.ts src/main.ts
// Warns when a request leaves something running. GUARD=fail: ends the process with status 70 as well.
// SIGUSR2: writes what is alive, though the process should be idle, as a line of JSON.

const { DATABASE_URL, GUARD } = process.env
if (DATABASE_URL) exemptDatabase(DATABASE_URL)

guardServers((left) => {
  writeSync(2, `${describe(left)}\n`)
  if (GUARD === 'fail') process.exit(70)
})

process.on('SIGUSR2', async () => {
  writeSync(2, `${JSON.stringify({ guard: 'idle', leftovers: await idleLeftovers() })}\n`)
})
