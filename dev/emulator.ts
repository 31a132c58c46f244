import { parseArgs } from 'node:util'
import { createEmulator, usualPort } from './cloud-tasks/emulator.ts'

// `npm run emulator -- --queue projects/p/locations/l/queues/q`: the emulator of Cloud Tasks by itself, until a signal
// comes. TASKS_QUEUE and PORT stand in for arguments that are absent.

const { PORT, TASKS_QUEUE } = process.env

try {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, queue: { type: 'string', multiple: true } },
  })
  const queues = values.queue ?? (TASKS_QUEUE ? [TASKS_QUEUE] : [])
  const port = Number(values.port ?? PORT ?? usualPort)
  const emulator = await createEmulator({ port, log: (line) => console.log(line) })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, emulator.close)
  for (const queue of queues) emulator.createQueue(queue)
  const facts = [
    ['Cloud Tasks', `${emulator.url}/v2 (CLOUD_TASKS_EMULATOR_HOST=${new URL(emulator.url).host})`],
    ['Token keys', `${emulator.keysUrl} (issuer ${emulator.issuer})`],
    ['Its page', emulator.url],
    ['Its state', `${emulator.url}/emulator`],
    ...queues.map((queue) => ['Queue', queue]),
  ]
  console.log(facts.map(([name = '', fact]) => `${name.padEnd(12)} ${fact}`).join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
