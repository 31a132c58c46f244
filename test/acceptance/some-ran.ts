import type { TestProject } from 'vitest/node'

/** Fails a run that filters have left without a single test: it would look as if all had passed. */
export default function setup({ vitest }: TestProject) {
  return function teardown() {
    const tests = vitest.state.getTestModules().flatMap(({ children }) => [...children.allTests()])
    if (tests.some((test) => test.result().state !== 'skipped')) return
    vitest.logger.error('No test ran: the filters leave none.')
    process.exitCode = 1
  }
}
