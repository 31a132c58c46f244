import { readFileSync } from 'node:fs'
import { type Kind, schemas } from './schemas.ts'
import { threadTime } from './thread-time.ts'

// Tells its parent process, for each message, what JSON.parse and the schema alone take for the text of a file: CPU time
// in milliseconds. It stays the same process, so that it is as warm as the service.

process.on('message', ({ kind, file }: { kind: Kind; file: string }) => {
  const text = readFileSync(file, 'utf8')
  const started = threadTime()
  schemas[kind].safeParse(JSON.parse(text))
  process.send?.(threadTime() - started)
})
