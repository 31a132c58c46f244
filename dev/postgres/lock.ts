import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'

const busy = 5 // SQLITE_BUSY

/**
 * Takes the lock of a data folder, `<folder>.lock`, until the returned function is called or this process ends. The lock
 * is a SQLite database with an open transaction, since Node has no file locks. The system releases it when the process
 * ends: so there is no stale lock, and no pid that now belongs to another process.
 *
 * @param owner the process that the lock is taken for: the message to the next one names it
 * @throws if an owner that still runs holds it: who, and what to do
 */
export async function lockFolder(folder: string, owner: number): Promise<() => void> {
  const database = new DatabaseSync(`${folder}.lock`)
  database.exec('PRAGMA busy_timeout = 500; PRAGMA synchronous = OFF')
  for (let attemptsLeft = 300; ; attemptsLeft--) {
    try {
      // The owner's pid is in the file's header, which others may still read.
      database.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${owner}; COMMIT; BEGIN IMMEDIATE`)
      return () => database.close()
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error && error.errcode === busy)) throw error
      if (database.isTransaction) database.exec('ROLLBACK')
      const holder = Number(database.prepare('PRAGMA user_version').get()?.user_version)
      if (isAlive(holder) || attemptsLeft === 0) {
        database.close()
        const problem = `${folder} is in use by process ${holder}`
        throw new Error(
          `${problem}. Stop that one first, or choose another folder: DATA_DIR=.data-2 npm run dev`,
        )
      }
      await wait(100) // the owner has ended, and its server is about to
    }
  }
}

/** Whether there is a process of that id, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
