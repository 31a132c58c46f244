import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { taskVariables } from '#src/runtime/config/task-variables.ts'
import { runtimeVariables } from '#src/runtime/config/variables.ts'

// What .env.example says of the runtime's variables. test/rules/ holds what it says of a service's own.

const text = readFileSync('.env.example', 'utf8')
const lines = text.split(/\r?\n/)

test.each(Object.keys({ ...runtimeVariables, ...taskVariables }))(
  '%s has an explanation above it',
  (name) => {
    const above = lines[lines.findIndex((line) => line.startsWith(`# ${name}=`)) - 1] ?? ''
    expect(above, name).toMatch(/^# \S/)
  },
)

test('it counts connections: instances × pool against the server’s max_connections', () => {
  const [paragraph = ''] = /(?:# .*\r?\n)+# DATABASE_POOL=/.exec(text) ?? []
  expect(paragraph).toMatch(/Instances × pool/)
  expect(paragraph).toMatch(/max_connections/)
  expect(paragraph).toMatch(/--max 9/)
})
