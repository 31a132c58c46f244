import type { Clock } from './clock.ts'
import type { Oidc } from './oidc.ts'
import { createSender } from './send.ts'

/** What to call, and as whom. */
export interface TickTarget {
  readonly url: string
  readonly audience: string
  readonly email: string
}

/** Calls URLs as jobs of Cloud Scheduler do. */
export function createScheduler(options: { clock: Clock; oidc: Oidc; log: (line: string) => void }) {
  const { clock, oidc, log } = options
  const sender = createSender(clock)
  const inFlight = new Set<Promise<unknown>>()
  const alarms = new Set<() => void>()

  /** Calls once. Returns the status; 504 if no answer came within three minutes, or at all. */
  async function tick({ url, audience, email }: TickTarget): Promise<number> {
    const headers = {
      Authorization: `Bearer ${await oidc.token(audience, email)}`,
      'Content-Type': 'application/octet-stream',
      'User-Agent': 'Google-Cloud-Scheduler',
      'X-CloudScheduler': 'true',
      'X-CloudScheduler-ScheduleTime': new Date(clock.now()).toISOString(),
    }
    const answer = await sender.send({ method: 'POST', url, headers, deadline: 180_000 })
    if ('status' in answer && answer.status >= 300) log(`tick: POST ${url} ${answer.status}`)
    return 'status' in answer ? answer.status : 504
  }

  /** Calls every so many seconds; a target that is not there is passed over. Returns what ends it. */
  function schedule({ everySeconds, ...target }: TickTarget & { everySeconds: number }): () => void {
    let cancel = () => {}
    const arm = () => {
      cancel = clock.after(everySeconds * 1000, () => {
        arm()
        const running = tick(target).finally(() => inFlight.delete(running))
        inFlight.add(running)
      })
    }
    const end = () => cancel()
    arm()
    alarms.add(end)
    return end
  }

  /** Resolves when no scheduled call is under way. */
  async function idle(): Promise<void> {
    while (inFlight.size > 0) await Promise.all(inFlight)
  }

  function close(): Promise<void> {
    for (const end of alarms) end()
    sender.close()
    return idle()
  }
  return { tick, schedule, idle, close }
}
