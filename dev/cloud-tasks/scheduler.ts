import type { Oidc } from './oidc.ts'
import type { Send } from './send.ts'

/** The path of the service that Cloud Scheduler calls each minute. */
export const tickPath = '/runtime/tick'

/** What to call, and as whom. */
export type TickTarget = Record<'url' | 'audience' | 'email', string>

type Options = { oidc: Oidc; send: Send; log: (line: string) => void; closed: AbortSignal }

/** Calls URLs as jobs of Cloud Scheduler do, until `closed`. */
export function createScheduler({ oidc, send, log, closed }: Options) {
  /** Calls once. Returns the status; 504 if there was no response within three minutes. */
  async function tick({ url, audience, email }: TickTarget): Promise<number> {
    const headers = {
      Authorization: await oidc.bearer(audience, email),
      'Content-Type': 'application/octet-stream',
      'User-Agent': 'Google-Cloud-Scheduler',
      'X-CloudScheduler': 'true',
    }
    const { status, problem } = await send({ method: 'POST', url, headers, deadline: 180_000 })
    if (!problem && status >= 300) log(`tick: POST ${url} ${status}`)
    return status
  }

  /** Calls every so many seconds of real time. A target that cannot be reached is skipped. Returns what ends it. */
  function schedule({ everySeconds, ...target }: TickTarget & { everySeconds: number }): () => void {
    const timer = setInterval(() => void tick(target), everySeconds * 1000)
    const end = () => clearInterval(timer)
    closed.addEventListener('abort', end)
    return end
  }
  return { tick, schedule }
}
