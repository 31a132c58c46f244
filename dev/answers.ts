import { setTimeout as wait } from 'node:timers/promises'

/**
 * Resolves when a GET is answered with success, however long that takes: a service may need a change first.
 *
 * @param signal ends the waiting
 * @throws the signal's reason
 */
export async function answers(url: string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const options = { headers: { connection: 'close' }, signal: AbortSignal.timeout(2_000) }
    const response = await fetch(url, options).catch(() => undefined)
    if (response?.ok) return
    await wait(100, undefined, { signal })
  }
}
