import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What a test file imports that starts other programs. */
const programs =
  /'node:child_process'|\/(browser|emulated|gcloud|process|rehearsal|scripts|step-process)\.ts'|\b(makeRepository|startPostgres|startService|workingCopy)\b/

/**
 * Starts the files that take longest first: the chaos test and that of the pages, then those that start other programs. If one of them came
 * last, one processor would have nothing to do meanwhile.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const ranked = sorted.map((file) => ({ file, rank: rank(file.moduleId) }))
    return ranked.sort((one, other) => one.rank - other.rank).map(({ file }) => file)
  }
}

function rank(path: string): number {
  if (/\/test\/(chaos|docs\/pages)/.test(path)) return 0
  return programs.test(readFileSync(path, 'utf8')) ? 1 : 2
}

/** What tests of the service need, whatever they are run on. */
const service = {
  include: ['test/**/*.test.ts'],
  exclude: ['test/acceptance/**', 'test/pooler/**', 'test/**/fixtures/**'],
  setupFiles: [
    'test/setup/console.ts',
    'test/setup/ends.ts',
    'test/setup/patience.ts',
    'test/setup/quiet.ts',
  ],
  pool: 'forks' as const,
  // The files of a worker share the modules: to load them was a quarter of all work. So a module keeps nothing
  // of a file beyond its end.
  isolate: false,
  // Node parses its package.json of 180 kB once for each of its modules
  server: { deps: { inline: ['drizzle-orm'] } },
  // these catch a test that hangs, not a slow one: other work may load the machine
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 120_000 } },
}
const database = ['test/setup/curl.ts', 'test/setup/database.ts']

export default defineConfig({
  test: {
    // three at least, because a test often waits for a process to start; eight at most, because each takes some hundred MiB
    maxWorkers: Math.min(8, Math.max(3, availableParallelism())),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { ...service, name: 'service', globalSetup: [...database, 'test/setup/bundle.ts'] },
      },
      {
        // the same for tests that run nothing of the bundle: to build it takes some seconds
        test: { ...service, name: 'statements', globalSetup: database },
      },
      {
        test: {
          // needs PgBouncer, which npm does not bring
          name: 'pooler',
          include: ['test/pooler/**/*.test.ts'],
          globalSetup: ['test/setup/curl.ts', 'test/setup/database.ts', 'test/setup/bundle.ts'],
          setupFiles: ['test/setup/ends.ts'],
          pool: 'forks',
          server: { deps: { inline: ['drizzle-orm'] } },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['test/acceptance/**/*.test.ts'],
          globalSetup: ['test/acceptance/some-ran.ts'],
          isolate: false, // the files share nothing but the service
          testTimeout: 180_000,
          tags: [
            { name: 'live-safe', description: 'writes nothing: may run against live' },
            { name: 'token', description: 'needs a token: left out where there is none' },
          ],
        },
      },
    ],
  },
})
