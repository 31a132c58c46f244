import { spawnProgram } from '#test/support/process.ts'

/** Runs the acceptance tests as `npm run test:acceptance -- …` does. */
export async function accept(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env
  const { lines, exit } = spawnProgram(process.execPath, ['test/acceptance/run.ts', ...args], {
    env: { PATH, NO_COLOR: '1', ...environment },
  })
  return { status: await exit, output: lines.join('\n') }
}
