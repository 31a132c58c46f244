import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** What a person can do something about. */
export class Refusal extends Error {}

/**
 * Runs a program in a process group of its own, which `signal` ends as a whole.
 *
 * @returns its exit status; 1 where a signal of somebody else's ended it
 * @throws {Refusal} if it cannot be run at all; else the reason of `signal`
 */
export async function run(
  [command = '', ...args]: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> & { signal: AbortSignal },
): Promise<number> {
  const { signal, ...others } = options
  signal.throwIfAborted()
  const child = spawn(command, args, { ...others, detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const end = () => void (child.pid && process.kill(-child.pid, 'SIGTERM'))
  signal.addEventListener('abort', end)
  const [status] = await once(child, 'close').catch((error) => {
    throw new Refusal(`${command} cannot be run: ${error.message}`)
  })
  signal.removeEventListener('abort', end)
  signal.throwIfAborted()
  return status ?? 1
}
