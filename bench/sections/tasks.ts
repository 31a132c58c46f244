import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from '../harness/build.ts'
import { type Contestant, contestants, labelOf, taskContestants } from '../harness/contestants.ts'
import { cpuUs, familyCpuUs } from '../harness/cpu.ts'
import type { Deliveries } from '../harness/deliver.ts'
import { query } from '../harness/postgres.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Row } from '../harness/result.ts'
import { type Running, start } from '../harness/run.ts'
import type { Bench, Section } from '../harness/section.ts'
import { type HttpRequest, send } from '../harness/send.ts'

/** How many deliveries Cloud Tasks makes at once; graphile-worker's page on performance has as many. */
const concurrency = 24
const { graphileWorker, graphileWorkerSingle, pgBoss } = taskContestants
const command = (path: string): HttpRequest => ({ method: 'GET', path, headers: {} })

interface Turn {
  readonly ms: number
  readonly service: number
  readonly postgres: number
}

/** Tasks that are enqueued already, until all are done: each reads its order and marks it as fulfilled. */
export const tasks: Section = {
  name: 'tasks',
  title: 'Tasks: from enqueued to done',
  async run(bench) {
    const list = [contestants.service, graphileWorker, graphileWorkerSingle, pgBoss]
    await build(list)
    const deliver = fork(fileURLToPath(new URL('../harness/deliver.ts', import.meta.url)))
    const count = bench.quick ? 500 : 4000
    const turns = new Map(list.map((contestant) => [labelOf(contestant), [] as Turn[]]))
    const rounds = bench.quick ? 2 : 7
    try {
      for (let round = 0; round <= rounds; round++) {
        for (const contestant of list) {
          progress(`tasks: round ${round} of ${rounds}, ${labelOf(contestant)}`)
          const turn = await takeTurn(bench, contestant, deliver, count)
          turns.get(labelOf(contestant))?.push(turn)
        }
      }
    } finally {
      deliver.disconnect()
    }
    const notes = [
      'The service gets one HTTP request for each task, and commits the effect together with “done”: it happens once. The others hold a connection, take jobs in batches where they can, and complete a job after its effect is committed: it may happen twice.',
      ...Object.values(taskContestants).map((contestant) => `- ${labelOf(contestant)}: ${contestant.what}.`),
    ]
    return {
      section: 'tasks',
      notes,
      rows: Array.from(turns, ([contestant, all]) => rowOf(contestant, all, count)),
    }
  },
}

/** A fresh process for each turn; the first tenth of the tasks is there to let V8 compile, and counts nothing. */
async function takeTurn(
  bench: Bench,
  contestant: Contestant,
  deliver: ChildProcess,
  count: number,
): Promise<Turn> {
  const isService = contestant.form === 'service'
  const first = isService ? (requests.noToken[0] as HttpRequest) : command('/')
  const running = await start(
    contestant,
    { ...bench.environment, ...contestant.environment },
    { first, status: isService ? 401 : 200 },
  )
  const work = isService ? () => deliverAll(bench, running, deliver) : () => ask(running, '/run')
  const prepare = async (orders: number) => {
    await placeOrders(bench, orders)
    if (!isService) await ask(running, '/enqueue')
  }
  try {
    await prepare(Math.max(200, count / 10))
    await work()
    await prepare(count)
    const before = { service: cpuUs(running.pid), postgres: familyCpuUs(bench.postgres.pid) }
    const ms = await work()
    const service = cpuUs(running.pid) - before.service
    const postgres = familyCpuUs(bench.postgres.pid) - before.postgres
    const left = await query(bench.databaseUrl, "select id from orders where status = 'placed'")
    if (left.length > 0)
      throw new Error(`${labelOf(contestant)} left ${left.length} of ${count} orders unfulfilled`)
    return { ms, service, postgres }
  } finally {
    await running.stop()
  }
}

/** Orders that wait, each with its task, which Cloud Tasks has. */
async function placeOrders(bench: Bench, count: number): Promise<void> {
  await query(bench.databaseUrl, 'truncate orders, runtime.tasks')
  await query(
    bench.databaseUrl,
    `with placed as (
       insert into orders (id, owner, item, quantity, task_id)
       select gen_random_uuid(), 'tasks', 'Teapot', 2, gen_random_uuid() from generate_series(1, ${count}) returning id, task_id)
     insert into runtime.tasks (id, name, state, payload, due_at, request_id, trace_id, subject, revision)
       select task_id, 'orders.fulfil', 'queued', jsonb_build_object('orderId', id), now(), 'bench',
         '4bf92f3577b34da6a3ce929d0e0e4736', 'tasks', 'bench' from placed`,
  )
  await query(bench.databaseUrl, 'vacuum analyze orders, runtime.tasks')
}

async function deliverAll(bench: Bench, { port }: Running, deliver: ChildProcess): Promise<number> {
  const rows = await query<{ id: string }>(bench.databaseUrl, 'select id from runtime.tasks')
  const authorization = await bench.callerOfCallbacks()
  const deliveries: Deliveries = {
    port,
    ids: rows.map(({ id }) => id),
    authorization,
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

function rowOf(contestant: string, all: readonly Turn[], count: number): Row {
  const turns = all.slice(1) // the first fills caches
  return {
    work: 'tasks',
    contestant,
    metrics: [
      { name: 'rate', unit: '/s', better: 'higher', values: turns.map(({ ms }) => (count * 1000) / ms) },
      { name: 'CPU', unit: 'µs', better: 'lower', values: turns.map(({ service }) => service / count) },
      {
        name: 'CPU of PostgreSQL',
        unit: 'µs',
        better: 'lower',
        values: turns.map(({ postgres }) => postgres / count),
      },
      {
        name: 'CPU of both',
        unit: 'µs',
        better: 'lower',
        values: turns.map((turn) => (turn.service + turn.postgres) / count),
      },
    ],
  }
}
