import { readFileSync } from 'node:fs'
import { type Kind, schemas } from './schemas.ts'

// `node reference.ts KIND FILE`: prints what JSON.parse and the schema alone take for the text, in milliseconds, the
// median of five.

const [kind = '', file = ''] = process.argv.slice(2)
const text = readFileSync(file, 'utf8')
const times = Array.from({ length: 5 }, () => {
  const started = performance.now()
  schemas[kind as Kind].safeParse(JSON.parse(text))
  return performance.now() - started
})
process.stdout.write(String(times.toSorted((a, b) => a - b)[2]))
