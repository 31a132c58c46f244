import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'service',
          include: ['test/**/*.test.ts'],
          exclude: ['test/acceptance/**'],
          globalSetup: ['test/setup/database.ts', 'test/setup/bundle.ts'],
          setupFiles: ['test/setup/console.ts', 'test/setup/quiet.ts'],
          pool: 'forks',
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['test/acceptance/**/*.test.ts'],
          testTimeout: 30_000,
          tags: [{ name: 'live-safe', description: 'writes nothing: may run against live' }],
        },
      },
    ],
  },
})
