import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Step } from '#dev/rehearsal/build/build-file.ts'
import { type RunStep, runSteps } from '#dev/rehearsal/build/steps.ts'

function step(id: string, waitFor: string[] = [], timeout = 60): Step {
  const rest = { name: 'n', entrypoint: 'e', args: [], env: [], secretEnv: [], allowFailure: false }
  return { id, waitFor, timeout, ...rest }
}

const never = { signal: new AbortController().signal }

/** Runs steps whose ends the test decides. */
function controlled() {
  const begun: string[] = []
  const ends = new Map<string, (status: number) => void>()
  const run: RunStep = async ({ id }, signal) => {
    begun.push(id)
    const end = new Promise<number>((resolve) => ends.set(id, resolve))
    const status = await Promise.race([end, once(signal, 'abort').then(() => 143)])
    return { status, output: id === 'late' ? 'Left out: no need\n' : '' }
  }
  async function end(id: string, status = 0) {
    ends.get(id)?.(status)
    await new Promise(setImmediate)
  }
  return { begun, run, end }
}

test('a step waits for all before it, for those that it names, or for none', async () => {
  const { begun, run, end } = controlled()
  const steps = [step('a'), step('b', ['-']), step('c', ['b']), step('d'), step('e')]
  const results = runSteps(steps, run, never)
  await end('nothing')
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c'])
  await end('c')
  expect(begun).toEqual(['a', 'b', 'c'])
  await end('a')
  await end('d')
  await end('e')
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect((await results).map(({ result }) => result)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
})

test('a step that fails cancels what runs beside it, and nothing else starts', async () => {
  const { begun, run, end } = controlled()
  const results = runSteps([step('a'), step('b', ['-']), step('c', ['b']), step('d')], run, never)
  await end('nothing')
  await end('a', 1)
  expect((await results).map(({ result }) => result)).toEqual(['failed', 'cancelled', 'not run', 'not run'])
  expect(begun).toEqual(['a', 'b'])
})

test('after a step that may fail, the next one starts', async () => {
  const { begun, run, end } = controlled()
  const results = runSteps([{ ...step('a'), allowFailure: true }, step('b')], run, never)
  await end('nothing')
  await end('a', 1)
  await end('b')
  expect((await results).map(({ result }) => result)).toEqual(['failed', 'ok'])
  expect(begun).toEqual(['a', 'b'])
})

test('a step that takes too long fails', async () => {
  const { run } = controlled()
  const results = await runSteps([step('a', [], 0), step('b')], run, never)
  expect(results).toMatchObject([{ result: 'failed', output: 'Timed out\n' }, { result: 'not run' }])
})

test('a step that is left out, by the caller or by itself, delays nothing', async () => {
  const { begun, run, end } = controlled()
  const results = runSteps([step('check'), step('late'), step('last')], run, { ...never, without: ['check'] })
  await end('nothing')
  await end('late')
  await end('last')
  expect((await results).map(({ result }) => result)).toEqual(['left out', 'left out', 'ok'])
  expect(begun).toEqual(['late', 'last'])
})

test('a signal cancels what runs, and nothing starts after it', async () => {
  const { run, end } = controlled()
  const stop = new AbortController()
  const results = runSteps([step('a'), step('b')], run, { signal: stop.signal })
  await end('nothing')
  stop.abort()
  expect((await results).map(({ result }) => result)).toEqual(['cancelled', 'not run'])
  const late = await runSteps([step('a')], run, { signal: stop.signal })
  expect(late.map(({ result }) => result)).toEqual(['not run'])
})
