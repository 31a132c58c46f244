import { Hono } from 'hono'
import { serve } from '../machine/serve.ts'
import { createApi } from './api.ts'
import { type Clock, realClock } from './clock.ts'
import { createControl } from './control.ts'
import { createDispatcher } from './dispatcher.ts'
import { createFaults } from './faults.ts'
import { createOidc } from './oidc.ts'
import { createPage } from './page.ts'
import { createQueues } from './queues.ts'
import { createScheduler } from './scheduler.ts'
import { createSend } from './send.ts'
import { readSettings, type SettingsResource } from './settings.ts'

/** Where it listens in development, if it can. */
export const usualPort = 8123

/** A running emulator of Cloud Tasks, with what Google has beside it: the keys of tokens, and Cloud Scheduler. */
export type Emulator = Awaited<ReturnType<typeof createEmulator>>

interface EmulatorOptions {
  /** Any free one if absent. */
  port?: number
  /** With a manual clock, only `settle` and RunTask dispatch. */
  clock?: Clock
  /** Gets a line for each attempt; `done` if it was the last one, and right. */
  log?: (line: string, done?: boolean) => void
  /** The `iss` of its tokens: its own URL if absent. */
  issuer?: string
}

/** Starts an emulator. @throws if the port is taken */
export async function createEmulator(options: EmulatorOptions = {}) {
  const { clock = realClock(), log = () => {} } = options
  const end = new AbortController()
  const { signal: closed } = end
  const faults = createFaults()
  const queues = createQueues(clock.now)
  const send = createSend(clock, closed)
  const oidc = await createOidc(() => emulator.issuer)
  const dispatcher = createDispatcher({ clock, oidc, send, faults, log, closed })
  const app = new Hono()
  const { url, close } = await serve(app, options)
  const { issuer = url } = options
  const keysUrl = `${url}/oauth2/v3/certs` // below its URL as below Google's

  const emulator = {
    url,
    issuer,
    keysUrl,
    /** The variables with which a service enqueues here, and accepts the tokens of the emulator. */
    variables: {
      CLOUD_TASKS_EMULATOR_HOST: new URL(url).host,
      OIDC_ISSUERS: issuer,
      OIDC_JWKS_URL: keysUrl,
    },
    oidc,
    faults,
    /** Calls as Cloud Scheduler: `tick` once, `schedule` until it is told to end. */
    ...createScheduler({ oidc, send, log, closed }),
    now: clock.now,

    /** Creates a queue, or refuses as CreateQueue does. Its limits may be above Google's. */
    createQueue(name: string, settings: SettingsResource = {}): void {
      queues.create(name, readSettings(settings))
    },

    /** Dispatches until no task is due or in flight. Returns the attempts made meanwhile. */
    settle: () => dispatcher.settle(queues.list()),

    /** Moves the clock. With a manual one, that alone dispatches nothing; with the real one, what is due then is dispatched. */
    advance(milliseconds: number): void {
      clock.advance?.(milliseconds)
      clock.skip?.(milliseconds)
      for (const queue of queues.list()) dispatcher.pump(queue)
    },

    /** The tasks it holds, of one queue or all; `scheduleTime` in milliseconds since 1970. */
    pending(queue?: string) {
      const chosen = queue === undefined ? queues.list() : [queues.get(queue)]
      return chosen.flatMap(({ name, tasks }) =>
        [...tasks.values()].map(({ id, scheduleTime, dispatchCount, httpRequest: { url, body = '' } }) => ({
          ...{ queue: name, task: id, url, body: body.toString(), scheduleTime, attempts: dispatchCount },
        })),
      )
    },

    /** What GET /emulator shows. */
    state: () => ({
      now: new Date(clock.now()).toISOString(),
      queues: queues.list().map((queue) => queue.render()),
      tasks: emulator.pending(),
      attempts: dispatcher.recent,
      faults: faults.current(),
    }),

    /** Ends everything, and aborts what is in flight. */
    async close(): Promise<void> {
      end.abort()
      await dispatcher.idle()
      await close()
    },
  }

  app.route('/', createApi({ queues, dispatcher, faults, now: clock.now }))
  app.route('/', createControl(emulator))
  app.route('/', createPage())
  return emulator
}
