import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readPolicies } from '#test/support/monitoring/files.ts'

// What a page says of an alert must be changed with the file of the alert.

const policies = readPolicies()
const page = readFileSync('docs/operating.md', 'utf8')

test('docs/operating.md lists each alert, and its urgency is its severity', () => {
  const urgencies = { CRITICAL: 'now', ERROR: 'today', WARNING: 'this week' }
  const rows = page.matchAll(/^\| `([\w-]+)` \| .+ \| (now|today|this week)\b.* \|$/gm)
  const listed = Array.from(rows, ([, name = '', urgency]) => [name, urgency])
  const there = Array.from(policies, ([name, { severity }]) => [name, urgencies[severity]])
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(there))
})

test('docs/operating.md names the alerts that a service without tasks does not get', () => {
  const [, list = ''] =
    /without \[tasks\]\(#tasks\) gets none of those that read the tick: (.+)\.\n/.exec(page) ?? []
  const named = Array.from(list.matchAll(/`([\w-]+)`/g), ([, name]) => name)
  const needing = Array.from(policies).filter(([, { userLabels }]) => userLabels?.needs === 'tick')
  expect(named.sort()).toEqual(needing.map(([name]) => name).sort())
})

test('docs/going-live.md counts the conditions that Google charges for', () => {
  const count = Array.from(policies.values()).flatMap(({ conditions }) => conditions).length
  expect(readFileSync('docs/going-live.md', 'utf8')).toContain(
    `conditions (${count} in [these](operating.md#alerts)`,
  )
})
