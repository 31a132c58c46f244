import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from '../harness/build.ts'
import type { Expected } from '../harness/cloud-tasks-delivering.ts'
import {
  type Contestant,
  contestants,
  labelOf,
  serviceTasks,
  taskContestants,
} from '../harness/contestants.ts'
import { cpuUs, familyCpuUs } from '../harness/cpu.ts'
import type { Deliveries } from '../harness/deliver.ts'
import { query } from '../harness/postgres.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Metric, Row } from '../harness/result.ts'
import { type Running, start } from '../harness/run.ts'
import type { Bench, Section } from '../harness/section.ts'
import { type HttpRequest, send } from '../harness/send.ts'

/** How many deliveries Cloud Tasks makes at once; graphile-worker's page on performance has as many. */
const concurrency = 24
const { graphileWorker, graphileWorkerSingle, pgBoss, dbos } = taskContestants
const command = (path: string): HttpRequest => ({ method: 'GET', path, headers: {} })

interface Turn {
  readonly ms: number
  readonly service: number
  readonly postgres: number
}

/** What is measured: as many orders, each fulfilled by a task. */
interface Kind {
  readonly work: string
  readonly count: number
  readonly list: readonly Contestant[]
  /** The service's task for each order; `undefined` if one task enqueues those of all orders. */
  readonly task?: string
}

const kindsOf = (quick: boolean): Kind[] => [
  {
    work: 'tasks',
    count: quick ? 500 : 4000,
    list: [contestants.service, graphileWorker, graphileWorkerSingle, pgBoss],
    task: 'orders.fulfil',
  },
  { work: 'five steps', count: quick ? 200 : 1000, list: [serviceTasks, dbos], task: 'bench.five-steps' },
  {
    work: 'fan-out of 1,000',
    count: 1000,
    list: [serviceTasks, graphileWorker, graphileWorkerSingle, pgBoss],
  },
]

interface Processes {
  readonly deliver: ChildProcess
  /** In place of Cloud Tasks, if it is to deliver what the service enqueues. */
  readonly queue: ChildProcess
  readonly queuePort: number
}

/** Tasks that are enqueued already, until all are done: each reads its order and marks it as fulfilled. */
export const tasks: Section = {
  name: 'tasks',
  title: 'Tasks: from enqueued to done',
  async run(bench) {
    await build([contestants.service, serviceTasks, ...Object.values(taskContestants)])
    const deliver = fork(fileURLToPath(new URL('../harness/deliver.ts', import.meta.url)))
    const queue = fork(fileURLToPath(new URL('../harness/cloud-tasks-delivering.ts', import.meta.url)))
    const rows: Row[] = []
    const failures: string[] = []
    try {
      const [queuePort] = await once(queue, 'message')
      const processes = { deliver, queue, queuePort }
      for (const kind of kindsOf(bench.quick)) {
        try {
          rows.push(...(await measureKind(bench, kind, processes)))
        } catch (error) {
          failures.push(`${kind.work}: ${error instanceof Error ? error.message : error}`)
        }
      }
    } finally {
      deliver.disconnect()
      queue.disconnect()
    }
    const notes = [
      'The service gets one HTTP request for each task, and commits the effect together with “done”: it happens once. The others hold a connection, take jobs in batches where they can, and complete a job after its effect is committed: it may happen twice.',
      ...Object.values(taskContestants).map((contestant) => `- ${labelOf(contestant)}: ${contestant.what}.`),
    ]
    return { section: 'tasks', notes, rows, ...(failures.length > 0 && { failure: failures.join('; ') }) }
  },
}

async function measureKind(bench: Bench, kind: Kind, processes: Processes): Promise<Row[]> {
  const turns = new Map(kind.list.map((contestant) => [labelOf(contestant), [] as Turn[]]))
  const rounds = bench.quick ? 1 : 5
  for (let round = 0; round <= rounds; round++) {
    for (const contestant of kind.list) {
      progress(`${kind.work}: round ${round} of ${rounds}, ${labelOf(contestant)}`)
      const turn = await takeTurn(bench, contestant, kind, processes)
      if (round > 0) turns.get(labelOf(contestant))?.push(turn) // the first fills caches
    }
  }
  return Array.from(turns, ([label, all]) => rowOf(kind, label, all))
}

/** A fresh process for each turn. Some tasks before let V8 compile, and count nothing. */
async function takeTurn(
  bench: Bench,
  contestant: Contestant,
  { task, count }: Kind,
  processes: Processes,
): Promise<Turn> {
  const isService = contestant.form !== 'installed'
  const first = isService ? (requests.noToken[0] as HttpRequest) : command('/')
  const queueHost = task === undefined && { CLOUD_TASKS_EMULATOR_HOST: `127.0.0.1:${processes.queuePort}` }
  const running = await start(
    contestant,
    { ...bench.environment, ...contestant.environment, ...queueHost },
    { first, status: isService ? 401 : 200 },
  )
  const prepare = async (orders: number) => {
    await placeOrders(bench, orders, isService ? (task ?? 'bench.fan-out') : undefined)
    if (!isService && task) await ask(running, '/enqueue')
  }
  const work = async (orders: number) => {
    if (!isService) return ask(running, task ? '/run' : '/fan-out')
    if (task) return deliverAll(bench, running, processes.deliver)
    const expected: Expected = {
      ...{ port: running.port, count: orders, connections: concurrency },
      authorization: await bench.callerOfCallbacks(),
    }
    processes.queue.send(expected)
    const all = once(processes.queue, 'message')
    const started = performance.now()
    await deliverAll(bench, running, processes.deliver)
    const [{ failure }] = await all
    if (failure) throw new Error(`service: ${failure}`)
    return performance.now() - started
  }
  try {
    const few = Math.max(200, count / 10)
    await prepare(few)
    await work(few)
    await allFulfilled(bench, contestant, few)
    await prepare(count)
    const before = { service: cpuUs(running.pid), postgres: familyCpuUs(bench.postgres.pid) }
    const ms = await work(count)
    const service = cpuUs(running.pid) - before.service
    const postgres = familyCpuUs(bench.postgres.pid) - before.postgres
    await allFulfilled(bench, contestant, count)
    return { ms, service, postgres }
  } finally {
    await running.stop()
  }
}

/** @throws {Error} if an order still waits, with the error of a task if the service has stored one */
async function allFulfilled(bench: Bench, contestant: Contestant, count: number): Promise<void> {
  const left = await query(bench.databaseUrl, "select id from orders where status = 'placed'")
  if (left.length === 0) return
  const [failed] = await query<{ error: string }>(
    bench.databaseUrl,
    "select concat(': a task is ', state, ', ', last_error) as error from runtime.tasks where last_error is not null limit 1",
  )
  throw new Error(
    `${labelOf(contestant)} left ${left.length} of ${count} orders unfulfilled${failed?.error ?? ''}`,
  )
}

/** Orders that wait. Each has a task that Cloud Tasks has; or one task enqueues those of all. */
async function placeOrders(bench: Bench, count: number, task: string | undefined): Promise<void> {
  await query(bench.databaseUrl, 'truncate orders, runtime.tasks cascade')
  await query(
    bench.databaseUrl,
    `insert into orders (id, owner, item, quantity)
       select gen_random_uuid(), 'tasks', 'Teapot', 2 from generate_series(1, ${count})`,
  )
  const payloads =
    task === 'bench.fan-out'
      ? "(select '{}'::jsonb) one (payload)"
      : "(select jsonb_build_object('orderId', id) from orders) each (payload)"
  if (task)
    await query(
      bench.databaseUrl,
      `insert into runtime.tasks (id, name, state, payload, due_at, request_id, trace_id, subject, revision)
         select gen_random_uuid(), '${task}', 'queued', payload, now(), 'bench',
           '4bf92f3577b34da6a3ce929d0e0e4736', 'tasks', 'bench' from ${payloads}`,
    )
  await query(bench.databaseUrl, 'vacuum analyze orders, runtime.tasks')
}

/** Delivers the tasks that are there. @returns milliseconds */
async function deliverAll(bench: Bench, { port }: Running, deliver: ChildProcess): Promise<number> {
  const rows = await query<{ id: string; name: string }>(
    bench.databaseUrl,
    'select id, name from runtime.tasks',
  )
  const deliveries: Deliveries = {
    port,
    name: rows[0]?.name ?? '',
    ids: rows.map(({ id }) => id),
    authorization: await bench.callerOfCallbacks(),
    connections: concurrency,
  }
  deliver.send(deliveries)
  const [{ ms, failure }] = await once(deliver, 'message')
  if (failure) throw new Error(`service: ${failure}`)
  return ms
}

async function ask({ port, contestant }: Running, path: string): Promise<number> {
  const { status, text } = await send(port, command(path))
  if (status !== 200) throw new Error(`${labelOf(contestant)} failed at ${path}: ${text}`)
  return Number(text)
}

function rowOf({ work, count }: Kind, contestant: string, turns: readonly Turn[]): Row {
  const us = (name: string, of: (turn: Turn) => number): Metric => ({
    ...{ name, unit: 'µs', better: 'lower', values: turns.map((turn) => of(turn) / count) },
  })
  const rate = turns.map(({ ms }) => (count * 1000) / ms)
  return {
    ...{ work, contestant },
    metrics: [
      { name: 'rate', unit: '/s', better: 'higher', values: rate },
      us('CPU', ({ service }) => service),
      us('CPU of PostgreSQL', ({ postgres }) => postgres),
      us('CPU of both', ({ service, postgres }) => service + postgres),
    ],
  }
}
