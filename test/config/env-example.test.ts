import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { developmentEnvironment } from '#dev/settings.ts'
import { features } from '#src/app.ts'
import { parseConfig } from '#src/runtime/config/config.ts'
import { runtimeVariables } from '#src/runtime/config/variables.ts'
import { variablesOf } from '#src/runtime/openapi/feature.ts'
import { testTasks } from '#test/support/task-variables.ts'

const text = readFileSync('.env.example', 'utf8')
const lines = text.split('\n')
const assignments = lines.filter((line) => /^# [A-Z][A-Z_0-9]*=/.test(line))
const shown = parseEnv(assignments.map((line) => line.slice(2)).join('\n'))
const ofFeatures = variablesOf(features)
const known = [...Object.keys(runtimeVariables), ...ofFeatures.flatMap(Object.keys), 'DATA_DIR']

test.each(known)('.env.example documents %s', (name) => {
  expect(Object.keys(shown)).toContain(name)
})

test('.env.example documents nothing that nobody reads, and nothing twice', () => {
  const names = assignments.map((line) => line.slice(2, line.indexOf('=')))
  expect(names.filter((name) => !known.includes(name))).toEqual([])
  expect(new Set(names).size).toBe(names.length)
})

test('what it shows are the defaults: to uncomment all of them changes nothing, and gives no secret away', () => {
  const { DATA_DIR, ...environment } = shown
  const needed = testTasks
  expect(parseConfig({ ...environment, ...needed }, ofFeatures)).toEqual(parseConfig(needed, ofFeatures))
  expect(DATA_DIR).toBe(developmentEnvironment({ variables: {}, file: 'none' }).DATA_DIR)
  expect(shown).toMatchObject({ AUTH_SECRET: '', DATABASE_URL: '' })
})

test('copied as it is, it sets nothing', () => {
  expect(parseEnv(text)).toEqual({})
})

test('each variable has an explanation above it', () => {
  for (const line of assignments) {
    const above = lines[lines.indexOf(line) - 1] ?? ''
    expect(above, line).toMatch(/^# \S/)
  }
})

test('it counts connections: instances × pool against the server’s max_connections', () => {
  const [paragraph = ''] = /(?:# .*\n)+# DATABASE_POOL=/.exec(text) ?? []
  expect(paragraph).toMatch(/Instances × pool/)
  expect(paragraph).toMatch(/max_connections/)
  expect(paragraph).toMatch(/--max-instances/)
})
