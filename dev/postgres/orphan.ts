import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { isAlive } from './lock.ts'

/**
 * Handles the `postmaster.pid` that a killed run has left. If the server still runs on `folder` (its keeper was killed
 * too), it is stopped. If the process of that id is another, the file is removed.
 *
 * @throws if the server does not stop
 */
export async function endOrphan(folder: string): Promise<void> {
  const file = join(folder, 'postmaster.pid')
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  if (!pid || !isAlive(pid)) return // PostgreSQL itself handles that
  if (await serves(port, lines)) {
    process.kill(pid, 'SIGINT') // "fast shutdown"
    for (let attemptsLeft = 300; existsSync(file) && isAlive(pid); attemptsLeft--) {
      if (attemptsLeft === 0)
        throw new Error(`A PostgreSQL server, process ${pid}, is still running on ${folder}. Stop it.`)
      await wait(100)
    }
  }
  await rm(file, { force: true })
}

/** Whether the server on that port wrote those lines. */
async function serves(port: number, lines: readonly string[]): Promise<boolean> {
  const connectionString = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query("SELECT pg_read_file('postmaster.pid') AS text")
    const theirs: string[] = rows[0].text.split('\n')
    return theirs.slice(0, 3).join() === lines.slice(0, 3).join() // its pid, folder and start
  } catch (error) {
    return error instanceof pg.DatabaseError && error.code === '57P03' // it is starting up or shutting down
  } finally {
    await client.end()
  }
}
