import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Takes the longest file first. If it came last, one processor would have nothing to do meanwhile. */
class ChaosFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isChaos = ({ moduleId }: TestSpecification) => moduleId.includes('/test/chaos/')
    return (await super.sort(files)).sort((one, other) => Number(isChaos(other)) - Number(isChaos(one)))
  }
}

export default defineConfig({
  test: {
    maxWorkers: 3, // a test often waits for a process to start
    sequence: { sequencer: ChaosFirst },
    projects: [
      {
        test: {
          name: 'service',
          include: ['test/**/*.test.ts'],
          exclude: ['test/acceptance/**', 'test/pooler/**', 'test/**/fixtures/**'],
          globalSetup: ['test/setup/curl.ts', 'test/setup/database.ts', 'test/setup/bundle.ts'],
          setupFiles: ['test/setup/console.ts', 'test/setup/patience.ts', 'test/setup/quiet.ts'],
          pool: 'forks',
          // Node parses its package.json of 180 kB once for each of its modules
          server: { deps: { inline: ['drizzle-orm'] } },
          // these catch a test that hangs, not a slow one: other work may load the machine
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 120_000 } },
        },
      },
      {
        test: {
          // needs PgBouncer, which npm does not bring
          name: 'pooler',
          include: ['test/pooler/**/*.test.ts'],
          globalSetup: ['test/setup/curl.ts', 'test/setup/database.ts', 'test/setup/bundle.ts'],
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
