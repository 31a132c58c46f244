import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** What the command says where it refuses. It has written nothing then. */
function refusal(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dev/new.ts', ...words], {
    encoding: 'utf8',
  })
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  return stderr.trim()
}

const feature = 'npm run new -- feature'

test.each([
  ['no name', [], `Name the feature: ${feature} line-items`],
  ['camel case', ['lineItems'], `Write: ${feature} line-items`],
  ['snake case', ['line_items'], `Write: ${feature} line-items`],
  ['a path', ['../line items'], `Write: ${feature} line-items`],
  ['a digit first', ['3d-models'], `Write: ${feature} d-models`],
  ['41 characters', ['a'.repeat(41)], '40 at most'],
  ['a singular', ['invoice'], `Write: ${feature} invoices`],
  ['a plural without a singular', ['sheep'], `Write: ${feature} sheep --singular sheep-entry`],
  ['one word for both', ['sheep', '--singular', 'sheep'], 'The singular of sheep must differ from it'],
  ['a singular of another form', ['people', '--singular', 'aPerson'], `--singular a-person`],
  [
    'a keyword of SQL',
    ['references'],
    `references is a keyword of SQL, which each query would have to quote.`,
  ],
  [
    'a reserved word',
    ['this', '--singular', 'thi'],
    `this is a reserved word of TypeScript. Write another name`,
  ],
  [
    "a name of JavaScript's",
    ['maps'],
    `Map would hide JavaScript's own Map. Write another name, such as: ${feature} customer-maps`,
  ],
  ['a schema of the runtime', ['problems'], 'The contract has a schema Problem already'],
  ['one name too many', ['invoices', 'notes'], "One name, not also 'notes'."],
] as const)('a feature of %s', (_what, words, message) => {
  expect(refusal(['feature', ...words])).toContain(message)
})

test.each([
  [
    'task',
    'remind',
    'Name the task after its feature, a dot, and what it does: npm run new -- task FEATURE.remind',
  ],
  [
    'task',
    'nowhere.remind',
    'There is no feature nowhere, in src/nowhere/. Make it first: npm run new -- feature nowhere',
  ],
  ['schedule', 'a.b.c', 'Name the schedule after its feature, a dot, and what it does'],
  ['schedule', 'nights.Every Night', 'Write: npm run new -- schedule nights.every-night'],
  ['migration', 'Fill Names', 'npm run new -- migration fill_names'],
  ['migration', undefined, 'Name the migration after what it does: npm run new -- migration add_due_date'],
  ['page', 'home', 'What is new? Usage: npm run new -- WHAT NAME'],
] as const)('a %s named %s', (what, name, message) => {
  expect(refusal(name === undefined ? [what] : [what, name])).toContain(message)
})

test('--help shows what there is', () => {
  const { status, stdout } = spawnSync(process.execPath, ['dev/new.ts', '--help'], { encoding: 'utf8' })
  expect(status).toBe(0)
  for (const what of ['feature', 'task', 'schedule', 'migration']) expect(stdout).toContain(`\n  ${what} `)
})
