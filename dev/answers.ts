import { setTimeout as wait } from 'node:timers/promises'

/**
 * Resolves when a GET is answered with success, however long that takes: a service may need a change first.
 *
 * @param signal ends the waiting
 * @param isWanted says which response is waited for, if not one of success
 * @throws the signal's reason
 */
export async function answers(
  url: string,
  signal?: AbortSignal,
  isWanted = ({ ok }: Response) => ok,
): Promise<void> {
  for (;;) {
    const options = { headers: { connection: 'close' }, signal: AbortSignal.timeout(2_000) }
    const response = await fetch(url, options).catch(() => undefined)
    if (response && isWanted(response)) return
    await wait(100, undefined, { signal })
  }
}
