import { Hono } from 'hono'
import { serve } from '../serve.ts'
import { createApi } from './api.ts'
import { type Clock, realClock } from './clock.ts'
import { createControl } from './control.ts'
import { createDispatcher } from './dispatcher.ts'
import { ApiError } from './errors.ts'
import { createFaults } from './faults.ts'
import { createOidc, keysPath } from './oidc.ts'
import { QueueRegistry } from './queues.ts'
import { createScheduler } from './scheduler.ts'
import { createSender } from './send.ts'
import { readSettings, type SettingsResource } from './settings.ts'

/** A running emulator of Cloud Tasks, with what Google has beside it: token keys and Cloud Scheduler. */
export type Emulator = Awaited<ReturnType<typeof createEmulator>>

/** How an emulator can be. */
interface EmulatorOptions {
  /** Any free one if absent. */
  port?: number
  host?: string
  /** With a manual one, nothing is dispatched but by `settle` and RunTask. */
  clock?: Clock
  /** Gets a line per attempt. */
  log?: (line: string) => void
  /** Its own URL if absent. */
  issuer?: string
}

/** Starts an emulator. @throws if the port is taken */
export async function createEmulator(options: EmulatorOptions = {}) {
  const { clock = realClock(), log = () => {} } = options
  const app = new Hono()
  const faults = createFaults()
  const oidc = await createOidc(() => emulator.issuer)
  const queues = new QueueRegistry(clock.now)
  const sender = createSender(clock)
  const dispatcher = createDispatcher({ clock, oidc, sender, faults, log })
  const scheduler = createScheduler({ oidc, sender, log })
  const server = await serve(app, options)
  const { url } = server

  const emulator = {
    url,
    /** The `iss` of its tokens. */
    issuer: options.issuer ?? url,
    /** Where the keys of its tokens are. */
    keysUrl: `${url}${keysPath}`,
    oidc,
    faults,

    /** Makes a queue; its limits may be above Google's. @throws {ApiError} as CreateQueue does */
    createQueue(name: string, settings: SettingsResource = {}): void {
      queues.create(name, readSettings(settings))
    },

    /** Calls as Cloud Scheduler: once, for the status; or until the returned function, or the end. */
    tick: scheduler.tick,
    schedule: scheduler.schedule,

    /** Dispatches what is due until nothing is, nor in flight. Returns the attempts made meanwhile. */
    settle: () => dispatcher.settle(queues.list()),

    /** What time it is for it, in milliseconds since 1970. */
    now: clock.now,

    /** Moves a manual clock, which by itself dispatches nothing. @throws {ApiError} if the clock is real */
    advance(milliseconds: number): void {
      if (!clock.advance) throw new ApiError('FAILED_PRECONDITION', 'The clock is the real one.')
      clock.advance(milliseconds)
    },

    /** The tasks it holds, of one queue or all; `scheduleTime` in milliseconds since 1970. */
    pending(queue?: string) {
      const chosen = queue === undefined ? queues.list() : [queues.get(queue)]
      return chosen.flatMap(({ name, tasks }) =>
        [...tasks.values()].map(({ id, url, body, scheduleTime, dispatchCount }) => ({
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
    }),

    /** Ends all: what is in flight is cut. */
    async close(): Promise<void> {
      scheduler.close()
      const idle = dispatcher.close()
      sender.close()
      await idle
      await server.close()
    },
  }

  app.route('/', createApi({ queues, dispatcher, faults, now: clock.now }))
  app.route('/', createControl(emulator))
  app.onError((error) =>
    (error instanceof ApiError ? error : new ApiError('INTERNAL', error.message)).toResponse(),
  )
  return emulator
}
