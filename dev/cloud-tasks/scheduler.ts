import type { Oidc } from './oidc.ts'
import type { Sender } from './send.ts'

/** What to call, and as whom. */
export interface TickTarget {
  readonly url: string
  readonly audience: string
  readonly email: string
}

/** Calls URLs as jobs of Cloud Scheduler do. */
export function createScheduler(options: { oidc: Oidc; sender: Sender; log: (line: string) => void }) {
  const { oidc, sender, log } = options
  const timers = new Set<NodeJS.Timeout>()

  /** Calls once. Returns the status; 504 if no answer came within three minutes, or at all. */
  async function tick({ url, audience, email }: TickTarget): Promise<number> {
    const headers = {
      Authorization: `Bearer ${await oidc.token(audience, email)}`,
      'Content-Type': 'application/octet-stream',
      'User-Agent': 'Google-Cloud-Scheduler',
      'X-CloudScheduler': 'true',
    }
    const answer = await sender.send({ method: 'POST', url, headers, deadline: 180_000 })
    if ('status' in answer && answer.status >= 300) log(`tick: POST ${url} ${answer.status}`)
    return 'status' in answer ? answer.status : 504
  }

  /** Calls every so many seconds of real time, passing over a target that is not there. Returns what ends it. */
  function schedule({ everySeconds, ...target }: TickTarget & { everySeconds: number }): () => void {
    const timer = setInterval(() => void tick(target), everySeconds * 1000)
    timers.add(timer)
    return () => clearInterval(timer)
  }

  function close(): void {
    for (const timer of timers) clearInterval(timer)
  }
  return { tick, schedule, close }
}
