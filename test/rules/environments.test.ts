import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { test } from 'vitest'
import { features } from '#src/app.ts'
import { taskVariables } from '#src/runtime/config/task-variables.ts'
import { variablesOf } from '#src/runtime/feature.ts'
import { expectRule } from '#test/support/rule.ts'

const files = ['staging', 'live'].map((environment) => `deploy/environments/${environment}.env`)

test('each environment sets what a feature does not start without', () => {
  const required = variablesOf(features)
    .flatMap((variables) => Object.entries(variables))
    .filter(([name, schema]) => !(name in taskVariables) && !schema.safeParse(undefined).success)
  const missing = files.flatMap((file) => {
    const set = parseEnv(readFileSync(file, 'utf8'))
    return required.filter(([name]) => !set[name]).map(([name]) => `${file}: ${name} is missing`)
  })
  expectRule(
    'Each environment sets the variables that have no default.',
    missing,
    'add a line `NAME=value`, or `NAME=secret:my-name` for a secret: see "A variable more" in docs/configuration.md.',
  )
})
