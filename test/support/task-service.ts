import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { expect } from 'vitest'
import type { z } from 'zod'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator, type Emulator } from '#dev/cloud-tasks/emulator.ts'
import { type Duration, toMilliseconds } from '#src/runtime/kernel/duration.ts'
import { setAside } from '#src/runtime/tasks/table.ts'
import type { Task } from '#src/runtime/tasks/task.ts'
import { atEnd } from './at-end.ts'
import { onServer } from './database.ts'
import { setDatabaseClock } from './database-clock.ts'
import { type Interruption, interruptTask } from './interrupt.ts'
import { type TestService, testService } from './service.ts'
import { emulated, testTasks } from './task-variables.ts'

/** A row of the ledger, as far as tests look at it. */
export interface LedgerRow {
  id: string
  name: string
  state: string
  payload: Record<string, unknown>
  key: string | null
  dispatch: number
  attempts: number
  due_at: Date
  touched_at: Date
  lease: string | null
  leased_until: Date | null
  started_at: Date | null
  last_error: string | null
  limit_slot: number | null
}

/** What the emulator did: an attempt and the status it was answered with. */
export type Attempts = Awaited<ReturnType<Emulator['settle']>>

/** A service behind a real port, with an emulator of Cloud Tasks that calls it back, on a clock that tests move. */
export interface TaskService extends TestService {
  readonly url: string
  readonly emulator: Emulator
  /** Moves the time of the database and of the emulator. */
  advance(duration: Duration): Promise<void>
  /** Calls the tick as Cloud Scheduler would. Returns the status of its answer. */
  tick(): Promise<number>
  /**
   * Delivers what is due until nothing is, through the real route and the real check of the token; with `until`,
   * what comes due in that time as well, retries and forgotten hand-overs included. Returns the attempts.
   */
  drain(options?: { until?: Duration }): Promise<Attempts>
  /** The rows of the ledger, the oldest first. */
  ledger(): Promise<LedgerRow[]>
  /** Expects a task with a payload like this one. Returns its row. */
  expectEnqueued<P extends z.ZodType>(task: Task<P>, payload?: Partial<z.input<P>>): Promise<LedgerRow>
  expectNotEnqueued<P extends z.ZodType>(task: Task<P>, payload?: Partial<z.input<P>>): Promise<void>
  /**
   * Expects that the newest task of this name has finished these steps, sleeps and waits, in this order. The name of a
   * wait is that of its signal, a colon and the key.
   */
  expectSteps(task: Named, names: readonly string[]): Promise<void>
  /** Cuts the next attempt at a task off at a step, as a killed process would. Then deliver again. */
  interrupt(task: Named, at: Interruption): void
}

/** Any task, whatever its payload and its signals. */
type Named = Pick<Task, 'name' | 'run'>

/** After this, the tick sends what nobody has handed over. */
const recentMs = 31_000
/** As the service's own server: a delivery must not meet a connection that was closed while a test took its time. */
const keepAliveTimeout = 620_000

/** Makes a service as `testService` does, with everything that its tasks need. */
export async function taskService(options: Parameters<typeof testService>[0] = {}): Promise<TaskService> {
  const clock = manualClock()
  const emulator = await createEmulator({ clock })
  atEnd(() => emulator.close())
  emulator.createQueue(testTasks.TASKS_QUEUE, { rateLimits: { maxDispatchesPerSecond: 100_000 } })

  const serve: RequestListener = (incoming, outgoing) => listener(incoming, outgoing)
  const server = createServer({ keepAliveTimeout }, serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service = await testService({
    ...options,
    emulated: true,
    environment: {
      ...emulated(emulator, url),
      ...options.environment,
    },
  })
  const listener = getRequestListener(service.app.fetch)
  const { databaseUrl } = service

  const setClock = () => setDatabaseClock(databaseUrl, new Date(clock.now()))

  async function move(time: number): Promise<void> {
    emulator.advance(time)
    await setClock()
  }

  const tick = () =>
    emulator.tick({ url: `${url}/runtime/tick`, audience: url, email: testTasks.TASKS_INVOKER })

  async function ledger(): Promise<LedgerRow[]> {
    return (await onServer(databaseUrl, 'select * from runtime.tasks order by id')).rows
  }

  /** When the tick may send the first of what nobody has handed over. */
  async function forgotten(): Promise<number> {
    const rows = (await ledger()).filter((row) => row.state === 'pending' && row.limit_slot !== setAside)
    return Math.min(...rows.map((row) => row.touched_at.getTime() + recentMs))
  }

  async function drain({ until = '0s' }: { until?: Duration } = {}): Promise<Attempts> {
    const end = clock.now() + toMilliseconds(until)
    const attempts = await emulator.settle()
    for (;;) {
      const delivery = Math.min(...emulator.pending().map(({ scheduleTime }) => scheduleTime))
      const sweep = await forgotten()
      const next = Math.min(delivery, sweep)
      if (next > end) return attempts
      if (next > clock.now()) await move(next - clock.now())
      if (sweep === next) expect(await tick()).toBe(200)
      const made = await emulator.settle()
      if (made.length === 0 && sweep !== next) await move(1000) // a fault delays what is due
      attempts.push(...made)
    }
  }

  async function find(task: Task, payload: object): Promise<LedgerRow[]> {
    const rows = (await ledger()).filter(({ name }) => name === task.name)
    return rows.filter((row) => {
      const entries = Object.entries(payload)
      return entries.every(([name, value]) => JSON.stringify(row.payload[name]) === JSON.stringify(value))
    })
  }

  await setClock()
  return {
    ...{ ...service, url, emulator, tick, drain, ledger },
    advance: (duration) => move(toMilliseconds(duration)),
    async expectEnqueued(task, payload = {}) {
      const rows = await find(task, payload)
      const enqueued = (await ledger()).map(({ name, payload }) => ({ name, payload }))
      expect(enqueued).toContainEqual({
        name: task.name,
        payload: expect.objectContaining(payload as object),
      })
      return rows[0] as LedgerRow
    },
    async expectSteps({ name }, names) {
      const { rows } = await onServer(
        databaseUrl,
        `select name from runtime.steps where finished_at <= runtime.service_now() and kind <> 'undo'
          and task_id = (select id from runtime.tasks where name = $1 order by id desc limit 1)
          order by position`,
        [name],
      )
      expect(rows.map((row) => row.name)).toEqual(names)
    },
    interrupt: (task, at) => interruptTask(databaseUrl, task, at),
    async expectNotEnqueued(task, payload = {}) {
      expect(await find(task, payload)).toEqual([])
    },
  }
}
