import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readBuildFile } from '#dev/rehearsal/build/build-file.ts'

const builtIn = { PROJECT_ID: 'p', PROJECT_NUMBER: '1', LOCATION: 'global', BUILD_ID: 'b' }

/** Reads a build of one step, whose arguments these are. */
function argsOf(args: string[], given = {}, substitutions = {}) {
  const text = JSON.stringify({ substitutions, steps: [{ id: 'one', name: 'n', entrypoint: 'bash', args }] })
  return readBuildFile(text, builtIn, given).steps[0]?.args
}

/** Reads a build of steps with these ids, each with what it waits for. */
function waiting(steps: Record<string, string[]>) {
  const all = Object.entries(steps).map(([id, waitFor]) => ({ id, waitFor, name: 'n', entrypoint: 'e' }))
  return readBuildFile(JSON.stringify({ steps: all }), builtIn)
}

test('the pipeline is read, with its defaults and what is given', async () => {
  const { steps, timeout, availableSecrets } = readBuildFile(
    await readFile('cloudbuild.yaml', 'utf8'),
    builtIn,
    { _SERVICE: 'orders' },
  )
  expect(timeout).toBe(12_000)
  expect(steps[0]).toMatchObject({ id: 'check', entrypoint: 'bash', args: ['deploy/check'], timeout: 2400 })
  for (const { env } of steps)
    expect(env).toEqual(expect.arrayContaining(['COMMIT_SHA=', 'SERVICE=orders', 'UNTIL=live', 'BUILD_ID=b']))
  expect(availableSecrets?.secretManager[0]?.versionName).toBe(
    'projects/p/secrets/orders-staging-auth-secret/versions/latest',
  )
})

test('a value that is given comes before its default, and the built-in before all', () => {
  expect(argsOf([`$_A/\${_B}_c`], { _A: 'given' }, { _A: 'a', _B: 'b' })).toEqual(['given/b_c'])
  expect(argsOf(['$PROJECT_ID', '$COMMIT_SHA'], { PROJECT_ID: 'mine', COMMIT_SHA: 'abc' })).toEqual([
    'p',
    'abc',
  ])
})

test('what only triggers know is empty without one', () => {
  expect(argsOf(['<$COMMIT_SHA$REPO_FULL_NAME$BRANCH_NAME>'])).toEqual(['<>'])
})

test('two dollars are one, and a command in brackets stays', () => {
  expect(argsOf([`$$HOME $\${HOME} $$$_A $(date)`], {}, { _A: 'a' })).toEqual([`$HOME \${HOME} $a $(date)`])
})

test('a value is not substituted again', () => {
  expect(argsOf(['$_A'], {}, { _A: '$PROJECT_ID' })).toEqual(['$PROJECT_ID'])
})

test('where Google does not document substitutions, nothing is substituted', () => {
  const step = { id: 'one', name: 'n', entrypoint: 'bash', args: ['$PROJECT_ID'] }
  const text = JSON.stringify({ options: { logging: '$PROJECT_ID' }, steps: [step] })
  const { options, steps } = readBuildFile(text, builtIn)
  expect([options.logging, steps[0]?.args]).toEqual(['$PROJECT_ID', ['p']])
})

test('a name that is no substitution is refused', () => {
  expect(() => argsOf(['$_MISSING'])).toThrow('the key _MISSING is not a valid substitution')
  expect(() => argsOf(['echo $variable'])).toThrow('the key variable is not')
})

test('a value that nothing asks for is refused', () => {
  expect(() => argsOf(['x'], { _TYPO: '1' })).toThrow('_TYPO')
  expect(() => argsOf(['x'], {}, { _UNUSED: '1' })).toThrow('_UNUSED')
  expect(() => argsOf(['x'], {}, { unruly: '1' })).toThrow()
})

test('fields that are not imitated are refused', () => {
  const step = { id: 'one', name: 'n', entrypoint: 'bash' }
  for (const [field, value] of Object.entries({ allowExitCodes: [1], script: 'x', dir: 'x' }))
    expect(() => readBuildFile(JSON.stringify({ steps: [{ ...step, [field]: value }] }), builtIn)).toThrow(
      field,
    )
  expect(() => readBuildFile(JSON.stringify({ steps: [step], images: ['x'] }), builtIn)).toThrow('images')
})

test('a step waits for steps before it only', () => {
  expect(waiting({ a: [], b: ['-'], c: ['a', 'b'] }).steps.map(({ waitFor }) => waitFor)).toEqual([
    [],
    ['-'],
    ['a', 'b'],
  ])
  expect(() => waiting({ a: ['b'], b: [] })).toThrow('a waits for b, which is no step before it')
})
