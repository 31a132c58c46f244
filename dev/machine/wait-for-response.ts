import { setTimeout as wait } from 'node:timers/promises'

/**
 * Sends GET requests until a response is one of success, however long that takes: a service may need a change first.
 *
 * @param signal ends the wait
 * @param isWanted says which response to wait for, if not one of success
 * @throws the reason of the signal
 */
export async function waitForResponse(
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
