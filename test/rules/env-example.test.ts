import { readFileSync } from 'node:fs'
import { isDeepStrictEqual, parseEnv } from 'node:util'
import { test } from 'vitest'
import { developmentEnvironment } from '#dev/machine/settings.ts'
import { features } from '#src/app.ts'
import { parseConfig } from '#src/runtime/config/config.ts'
import type { Variables } from '#src/runtime/config/parse-values.ts'
import { taskVariables } from '#src/runtime/config/task-variables.ts'
import { runtimeVariables } from '#src/runtime/config/variables.ts'
import { variablesOf } from '#src/runtime/feature.ts'
import { expectRule } from '#test/support/rule.ts'
import { testTasks } from '#test/support/task-variables.ts'

const text = readFileSync('.env.example', 'utf8')
const lines = text.split(/\r?\n/)
const isAssignment = (line: string) => /^# [A-Z][A-Z_0-9]*=/.test(line)
const assignments = lines.filter(isAssignment)
const names = assignments.map((line) => line.slice(2, line.indexOf('=')))
const shown = parseEnv(assignments.map((line) => line.slice(2)).join('\n'))
/** Documented whether or not a feature has tasks. */
const ofRuntime: Variables = { ...runtimeVariables, ...taskVariables }
const ofFeatures = Object.fromEntries(
  variablesOf(features).flatMap((variables) =>
    Object.entries(variables).filter(([name]) => !(name in ofRuntime)),
  ),
)
const known = [...Object.keys(ofRuntime), ...Object.keys(ofFeatures), 'DATA_DIR']

test('.env.example documents every variable', () => {
  expectRule(
    '.env.example documents every variable that the service reads.',
    known.filter((name) => !names.includes(name)).map((name) => `.env.example: ${name} is missing`),
    'add a comment that says what the variable is for, and below it `# NAME=` with its default.',
  )
})

test('.env.example explains every variable', () => {
  const bare = lines.filter((line, index) => isAssignment(line) && !/^# \S/.test(lines[index - 1] ?? ''))
  expectRule(
    '.env.example says above each variable what it is for.',
    bare.map((line) => `.env.example: ${line} has no comment above it`),
    'write one, which begins with `# `.',
  )
})

test('.env.example documents nothing that nobody reads, and nothing twice', () => {
  const unread = names.filter((name) => !known.includes(name))
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  expectRule(
    '.env.example documents only what the service reads, once.',
    [...unread.map((name) => `${name} is read by nobody`), ...twice.map((name) => `${name} is there twice`)],
    "remove the line from .env.example, or declare the variable in a feature's or task's `variables`.",
  )
})

test('.env.example shows the defaults: to uncomment all of them changes nothing', () => {
  const wrong = known.filter((name) => name in shown && !isDefault(name, shown[name] ?? ''))
  expectRule(
    '.env.example shows the default of each variable, and nothing for one that has none.',
    wrong.map((name) => `.env.example: ${name}=${shown[name]}`),
    'write what the variable is when it is unset; an example of another value belongs in the comment.',
  )
})

test('.env.example sets nothing when it is copied as it is', () => {
  expectRule(
    '.env.example sets nothing: it is copied to .env as it is.',
    Object.keys(parseEnv(text)).map((name) => `.env.example: ${name}`),
    'begin the line with `# `.',
  )
})

const page = readFileSync('docs/configuration.md', 'utf8')
/** The rows of the page's tables: a variable's name, and its default where it has one. */
const rows = Array.from(page.matchAll(/^\| `([A-Z][A-Z_0-9]*)` \|[^|]*\| (?:`([^`]*)`|none)[^|]*\|.*\|$/gm))

test('docs/configuration.md lists every variable of the runtime, with its default', () => {
  const ofPage = [...Object.keys(ofRuntime), 'DATA_DIR']
  const listed = rows.map(([, name = '']) => name)
  const wrong = rows.filter(([, name = '', value = '']) => ofPage.includes(name) && value !== shown[name])
  expectRule(
    'docs/configuration.md lists every variable of the runtime once, with its default.',
    [
      ...ofPage.filter((name) => !listed.includes(name)).map((name) => `${name} has no row`),
      ...listed
        .filter((name) => !ofPage.includes(name))
        .map((name) => `${name} is no variable of the runtime`),
      ...listed.filter((name, index) => listed.indexOf(name) !== index).map((name) => `${name} has two rows`),
      ...wrong.map(([, name = '', value = 'none']) => `${name} has ${value}, not ${shown[name] || 'none'}`),
    ].map((what) => `docs/configuration.md: ${what}`),
    'write a row: | `NAME` | what it is for | `default`, or none | when to set it |',
  )
})

/** Whether a variable is the same with this text as without. */
function isDefault(name: string, value: string): boolean {
  if (name === 'DATA_DIR') return value === developmentEnvironment({ variables: {}, file: 'none' }).DATA_DIR
  const schema = ofFeatures[name]
  if (schema) {
    const [unset, set] = [undefined, value || undefined].map((text) => schema.safeParse(text))
    return isDeepStrictEqual(unset, set)
  }
  const environment = { ...testTasks, [name]: value || testTasks[name as never] }
  const [unset, set] = [testTasks, environment].map((given) => parseConfig(given, [taskVariables]))
  return isDeepStrictEqual(unset, set)
}
