import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readPolicies } from '#test/support/monitoring/files.ts'
import { expectRule } from '#test/support/rule.ts'

// What docs/operating.md says of an alert must be changed with the file of the alert.

const policies = Array.from(readPolicies())
const page = readFileSync('docs/operating.md', 'utf8')

test('docs/operating.md lists each alert, and its urgency is its severity', () => {
  const urgencies = { CRITICAL: 'now', ERROR: 'today', WARNING: 'this week' }
  const rows = page.matchAll(/^\| `([\w-]+)` \| .+ \| (now|today|this week)\b.* \|$/gm)
  const listed = new Map(Array.from(rows, ([, name = '', urgency]) => [name, urgency]))
  expect(listed.size).toBeGreaterThan(5)
  expectRule(
    'docs/operating.md lists each alert of deploy/monitoring/policies, as urgent as its severity says.',
    policies
      .filter(([name, { severity }]) => listed.get(name) !== urgencies[severity])
      .map(([name, { severity }]) => `${name}: ${severity} is "${urgencies[severity]}"`),
    'write its row there, with that word in its last column.',
  )
})

test('docs/operating.md names the alerts that a service without tasks does not get', () => {
  const [, list = ''] =
    /gets none of those that read lines about tasks, or of the tick:\s+(.+)\.\n/.exec(page) ?? []
  const named = Array.from(list.matchAll(/`([\w-]+)`/g), ([, name]) => name)
  expectRule(
    'docs/operating.md says which alerts a service without tasks does not get.',
    policies
      .filter(([name, { userLabels }]) => named.includes(name) !== (userLabels?.needs === 'tick'))
      .map(([name]) => name),
    'name it in the sentence "A service without tasks gets none of those …" if its userLabels say so, and only then.',
  )
})
