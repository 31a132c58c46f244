import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createApp } from '#src/app.ts'
import { partAt } from '#test/support/contract.ts'
import { expectJson } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { temporaryFolder } from '#test/support/migrations.ts'
import { notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { stepsFeature } from '#test/support/steps.ts'
import { lab } from '../lab/feature.ts'

// What operations have in common is written once, in `components`, and referred to.

type Json = Record<string, unknown>
interface Operation {
  security: Json[]
  parameters?: Json[]
  responses: Record<string, Json>
}
interface Contract {
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, Json>>
}

const steps = stepsFeature(() => Promise.resolve('rest')).feature

async function contractsOf(options: Parameters<typeof testService>[0]) {
  const service = await testService({ databaseUrl: noDatabase, ...options })
  const shown = await expectJson<Contract>(await service.api('/openapi.json'))
  const internal = await createApp({ ...service, ...options }).internalContract()
  return { shown, internal: JSON.parse(JSON.stringify(internal)) as Contract }
}

const plain = await contractsOf({ features: [notes, steps] })
const cookies = await contractsOf({ features: [notes, steps], environment: { AUTH_COOKIE: 'session' } })
const everything = await contractsOf({ features: lab })
const contracts = [
  { of: 'notes', contract: plain.shown },
  { of: 'Google’s calls', contract: plain.internal },
  { of: 'notes with a cookie', contract: cookies.shown },
  { of: 'Google’s calls beside a cookie', contract: cookies.internal },
  { of: 'the lab', contract: everything.shown },
]

/** Every reference in a part of a contract. An example may hold what looks like one. */
function referencesIn(part: unknown, key = ''): string[] {
  if (key === 'example' || key === 'examples' || typeof part !== 'object' || part === null) return []
  if ('$ref' in part && typeof part.$ref === 'string') return [part.$ref]
  return Object.entries(part).flatMap(([name, inner]) => referencesIn(inner, name))
}

/** What occurs more than once. */
function repeated(texts: readonly string[]): string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index)
}

describe.each(contracts)('the contract of $of', ({ contract }) => {
  const { securitySchemes = {}, ...sections } = contract.components
  const components = Object.entries(sections).flatMap(([section, parts]) =>
    Object.entries(parts).map(([name, part]) => ({ section, name, text: JSON.stringify(part) })),
  )
  const operations = Object.values(contract.paths).flatMap((methods) => Object.values(methods))

  test('refers to what is there', () => {
    expect(referencesIn(contract).length).toBeGreaterThan(10)
    for (const reference of referencesIn(contract)) expect(partAt(contract, reference)).toBeTypeOf('object')
  })

  test('has no component that nothing refers to', () => {
    const used = referencesIn(contract)
    const references = components.map(({ section, name }) => `#/components/${section}/${name}`)
    expect(references.filter((reference) => !used.includes(reference))).toEqual([])
    const schemes = operations.flatMap(({ security }) => security.flatMap(Object.keys))
    expect(Object.keys(securitySchemes).sort()).toEqual([...new Set(schemes)].sort())
    expect(Object.values(contract.components)).not.toContainEqual({})
  })

  test('has no two components that are the same', () => {
    expect(repeated(components.map(({ section, text }) => section + text))).toEqual([])
  })

  test('writes no problem inside an operation', () => {
    const responses = operations.flatMap(({ responses }) => Object.values(responses))
    const inline = responses.filter((response) => !('$ref' in response))
    expect(inline.filter(({ description }) => /^`[A-Z_]+`: /.test(String(description)))).toEqual([])
  })

  test('writes no parameter and no header in two operations, unless another one has its name', () => {
    const taken = components.map(({ name }) => name.toLowerCase())
    const inline = operations.flatMap(({ parameters = [], responses }) => [
      ...parameters.map((part) => [part.name, part] as const),
      ...Object.values(responses).flatMap(({ headers }) => Object.entries(headers ?? {})),
    ])
    const written = inline
      .filter(([, part]) => !('$ref' in part))
      .filter(([name]) => !taken.includes(String(name).replaceAll('-', '').toLowerCase()))
    expect(repeated(written.map((part) => JSON.stringify(part)))).toEqual([])
  })

  test('has names that every generator takes', () => {
    for (const { name } of components) expect(name).toMatch(/^[A-Za-z][A-Za-z0-9]*$/)
  })
})

test('the contracts pass the lint of `npm run openapi:lint`', async () => {
  const folder = await temporaryFolder()
  const files = contracts.map((_, index) => join(folder, `${index}.json`))
  for (const [index, { contract }] of contracts.entries())
    await writeFile(files[index] ?? '', JSON.stringify(contract))
  const options = ['lint', '--config', 'redocly.yaml', ...files]
  const lint = promisify(execFile)('node_modules/.bin/redocly', options)
  const { stderr } = await lint.catch((failure: { stdout: string; stderr: string }) => failure)
  expect(stderr).toContain('Your API descriptions are valid')
})
