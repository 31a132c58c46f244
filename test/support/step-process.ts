import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator, type Emulator } from '#dev/cloud-tasks/emulator.ts'
import { atEnd } from './at-end.ts'
import { type Api, client } from './client.ts'
import { makeDatabase, onServer } from './database.ts'
import { setDatabaseClock } from './database-clock.ts'
import { isOfCloudTasks, type Point } from './points.ts'
import { type ServiceProcess, startSteps } from './process.ts'
import type { Direction } from './steps.ts'
import { type Moment, type Path, type Tap, tap, through } from './tap.ts'
import type { LedgerRow } from './task-service.ts'
import { testTasks } from './task-variables.ts'
import { as } from './tokens.ts'
import { written } from './work.ts'

/** An attempt that asks what to do, and waits for the direction. */
export interface Asking {
  readonly attempt: number
  answer(direction: Direction): void
}

/** Tasks as `state dispatch/attempts`, and deliveries to come. */
export interface Left {
  readonly tasks: readonly string[]
  readonly deliveries: number
}

/** Where a test has a process killed, and what is then left. */
export interface Kill {
  readonly moment: Moment
  readonly at: Path
  readonly left: string[]
  readonly deliveries: number
}

/** A kill after which another process finishes the task. */
export interface TimedKill extends Kill {
  /** Seconds until the task is done, at most. */
  readonly within: number
}

/** The seconds that it takes where Cloud Tasks has the delivery, and where a tick must send it first. */
export const [atOnce, byTick] = [0, 90]

/**
 * A service of the bundle, in a process that can be killed at the points of the code where it speaks to its database or
 * to Cloud Tasks, with an emulator on a clock that tests move. What calls it reaches the newest process.
 */
export interface StepProcess {
  readonly emulator: Emulator
  readonly database: Tap
  readonly cloudTasks: Tap
  /** The newest process. */
  readonly process: ServiceProcess
  /** An operator's, by way of the newest process. */
  readonly api: Api
  /** Starts one; with other variables than the rest, if there are some. */
  start(others?: Record<string, string>): Promise<ServiceProcess>
  /** Has the newest process killed at this moment of the last of these points. `dead` resolves when it is. */
  killAt(moment: Moment, path: Path): { dead: Promise<unknown> }
  /** Enqueues a step, or what else is at a path; `undefined` if the process died meanwhile. */
  enqueue(text: string, path?: string): Promise<Response | undefined>
  tick(): Promise<number>
  advance(milliseconds: number): Promise<void>
  /** What attempts that ask are told, in order; then `write`. */
  directions: Direction[]
  /** The next attempt that asks waits for the test to answer. */
  hold(): Promise<Asking>
  /** Calls back and ticks as Google does, until all tasks are over. Returns the seconds that this took. */
  finish(): Promise<number>
  ledger(): Promise<LedgerRow[]>
  /** What is left: of each task its state, dispatch and attempts, and how many deliveries Cloud Tasks is to make. */
  left(): Promise<Left>
  /** What the steps have written. */
  written(): Promise<string[]>
  query(statement: string): Promise<Record<string, unknown>[]>
  /** Has Cloud Tasks forget its deliveries. */
  loseDeliveries(): Promise<void>
  /** Forgets all tasks. */
  reset(): Promise<void>
}

/** What a tick is after the other. */
const minute = 60_000

/** Makes what a process needs; `start` starts one, with Node's own arguments if it needs some. */
export async function stepProcess(
  environment: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<StepProcess> {
  const databaseUrl = await makeDatabase()
  const clock = manualClock()
  const emulator = await createEmulator({ clock })
  atEnd(() => emulator.close())
  emulator.createQueue(testTasks.TASKS_QUEUE, { retryConfig: { minBackoff: '1s', maxBackoff: '10s' } })
  const director = await direct()
  let running: ServiceProcess | undefined
  const front = await tap(() => running && Number(new URL(running.url).port))
  const database = await tap(() => Number(new URL(databaseUrl).port))
  const cloudTasks = await tap(() => Number(new URL(emulator.url).port))
  const url = `http://127.0.0.1:${front.port}`
  // a connection that is kept could lead to a process that was killed a moment ago
  const api = client(url, { ...(await as('operator', ['runtime:admin'])), Connection: 'close' })

  async function start(others: Record<string, string> = {}): Promise<ServiceProcess> {
    running = undefined
    const variables = {
      DATABASE_URL: through(databaseUrl, database),
      TASKS_URL: url,
      ...emulator.variables,
      CLOUD_TASKS_EMULATOR_HOST: `127.0.0.1:${cloudTasks.port}`,
      ...environment,
      ...others,
    }
    running = await startSteps(variables, { args })
    return running
  }

  async function advance(milliseconds: number): Promise<void> {
    emulator.advance(milliseconds)
    await setDatabaseClock(databaseUrl, new Date(clock.now()))
  }

  const tick = () =>
    emulator.tick({ url: `${url}/runtime/tick`, audience: url, email: testTasks.TASKS_INVOKER })

  async function ledger(): Promise<LedgerRow[]> {
    return (await onServer(databaseUrl, 'select * from runtime.tasks order by id')).rows
  }

  async function isOver(): Promise<boolean> {
    return (await ledger()).every(({ state }) => ['done', 'dead', 'cancelled'].includes(state))
  }

  async function loseDeliveries(): Promise<void> {
    const response = await fetch(`${emulator.url}/v2/${testTasks.TASKS_QUEUE}:purge`, { method: 'POST' })
    expect(response.status).toBe(200)
  }

  await advance(0)
  const service: StepProcess = {
    ...{ emulator, database, cloudTasks, api, start, tick, advance, ledger },
    directions: director.directions,
    hold: director.hold,
    written: () => written(databaseUrl),
    query: async (statement) => (await onServer(databaseUrl, statement)).rows,
    loseDeliveries,
    async reset() {
      director.directions.length = 0
      await loseDeliveries()
      await onServer(
        databaseUrl,
        `truncate runtime.tasks, runtime.steps, runtime.signals, runtime.batches, runtime.batch_counts, runtime.rates, runtime.positions, test_notes,
          runtime.idempotency_keys`,
      )
    },
    async left() {
      const tasks = (await ledger()).map((row) => `${row.state} ${row.dispatch}/${row.attempts}`)
      return { tasks, deliveries: emulator.pending().length }
    },
    get process() {
      if (!running) throw new Error('No process was started.')
      return running
    },

    killAt(moment, path) {
      const { child, exit } = service.process
      const tapped = isOfCloudTasks([path].flat().at(-1) as Point) ? cloudTasks : database
      const dead = tapped.at(moment, path, async () => {
        child.kill('SIGKILL')
        running = undefined
        expect(await exit).toBe('SIGKILL')
      })
      return { dead }
    },

    async enqueue(text, path = '/steps') {
      const json = { text, director: director.url }
      const headers = { 'Idempotency-Key': text }
      return api(path, { json, headers }).catch((error) => {
        if (running) throw error // it did not die: the test would wait for its death in vain
        return undefined
      })
    },

    async finish() {
      const began = clock.now()
      let ticks = began + minute
      await emulator.settle()
      while (!(await isOver()) || emulator.pending().length > 0) {
        const delivery = Math.min(...emulator.pending().map(({ scheduleTime }) => scheduleTime))
        await advance(Math.max(0, Math.min(delivery, ticks) - clock.now()))
        if (clock.now() === ticks) {
          ticks += minute
          expect(await tick()).toBe(200)
        }
        await emulator.settle()
        expect(clock.now() - began, 'how long it took').toBeLessThan(20 * minute)
      }
      return (clock.now() - began) / 1000
    },
  }
  return service
}

/** Serves what attempts ask. */
async function direct() {
  const directions: Direction[] = []
  let held: ((asking: Asking) => void) | undefined
  const server = createServer(async (request, response: ServerResponse) => {
    const [attempt] = await request.toArray()
    const answer = (direction: Direction) => void response.end(direction)
    const take = held
    held = undefined
    if (take) take({ attempt: Number(String(attempt)), answer })
    else answer(directions.shift() ?? 'write')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  function hold(): Promise<Asking> {
    const { promise, resolve } = Promise.withResolvers<Asking>()
    held = resolve
    return promise
  }
  return { url, directions, hold }
}
