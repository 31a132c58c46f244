import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from '../harness/build.ts'
import { contestants } from '../harness/contestants.ts'
import { cpuUs, familyCpuUs } from '../harness/cpu.ts'
import type { Deliveries } from '../harness/deliver.ts'
import { callers, migrate, orderId } from '../harness/environment.ts'
import { addQueued, grow, type Size } from '../harness/grow.ts'
import { saturate } from '../harness/load.ts'
import { query } from '../harness/postgres.ts'
import { progress } from '../harness/progress.ts'
import { front, requests } from '../harness/requests.ts'
import type { Metric } from '../harness/result.ts'
import { type Running, start } from '../harness/run.ts'
import type { Bench, Section } from '../harness/section.ts'
import { type HttpRequest, send } from '../harness/send.ts'
import { auth, signToken } from '../harness/token.ts'

interface Side {
  readonly label: string
  readonly url: string
  readonly running: Running
  readonly reads: Readonly<Record<string, readonly HttpRequest[]>>
}

/** The service beside itself, with a small database and with a large one. */
export const growth: Section = {
  name: 'growth',
  title: 'Growth: with a thousand orders and tasks, and with a million',
  async run(bench) {
    const { service } = contestants
    await build([service])
    const large = bench.quick ? 50_000 : 1_000_000
    const sizes: [label: string, name: string, size: Size][] = [
      ['service, small', 'bench_small', { orders: 1024, done: 1000, pending: 100, dead: 100 }],
      ['service', 'bench_large', { orders: large, done: large, pending: large / 10, dead: 1000 }],
    ]
    const deliver = fork(fileURLToPath(new URL('../harness/deliver.ts', import.meta.url)))
    const sides: Side[] = []
    const values = new Map<string, Metric[]>()
    try {
      for (const [label, name, size] of sizes) {
        progress(`growth: filling ${name}`)
        const url = bench.postgres.url(name)
        await query(bench.postgres.url('postgres'), `create database ${name}`)
        migrate(url)
        await grow(url, size)
        const first = requests.get[0] as HttpRequest
        const running = await start(
          service,
          { ...bench.environment, DATABASE_URL: url },
          { first, status: 200 },
        )
        sides.push({ label, url, running, reads: readsOf(size) })
      }
      const rounds = bench.quick ? 1 : 5
      for (const work of [...Object.keys(sides[0]?.reads ?? {}), 'claim', 'tick']) {
        for (let round = 0; round <= rounds; round++) {
          for (const side of sides) {
            progress(`growth: ${work}, round ${round} of ${rounds}, ${side.label}`)
            const metrics = await measure(bench, side, work, deliver)
            if (round === 0) continue // V8 compiles, PostgreSQL reads its pages
            const key = `${work}|${side.label}`
            const before = values.get(key)
            values.set(
              key,
              metrics.map((metric, index) => join(before?.[index], metric)),
            )
          }
        }
      }
    } finally {
      deliver.disconnect()
      for (const { running } of sides) await running.stop()
      for (const [, name] of sizes)
        await query(bench.postgres.url('postgres'), `drop database if exists ${name} with (force)`)
    }
    const rows = Array.from(values, ([key, metrics]) => {
      const [work = '', contestant = ''] = key.split('|')
      return { work, contestant, metrics }
    })
    const notes = [
      `“Service” has ${large.toLocaleString('en')} orders, as many tasks that are done, and ${(large / 10).toLocaleString('en')} pending ones; “service, small” a thousandth or more. Five orders of each caller are cancelled: the filter looks for these.`,
    ]
    return { section: 'growth', notes, rows }
  },
}

function readsOf({ orders }: Size): Side['reads'] {
  const each = Math.ceil(orders / callers.length)
  const signed = callers.map((caller) => ({ ...front, authorization: `Bearer ${signToken(caller)}` }))
  const all = (pathOf: (caller: number) => string) =>
    signed.map((headers, caller): HttpRequest => ({ method: 'GET', path: pathOf(caller), headers }))
  const cursor = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
  const admin = {
    ...front,
    authorization: `Bearer ${signToken('operator', auth.AUTH_SECRET, 'runtime:admin')}`,
  }
  return {
    get: all((caller) => `/orders/${orderId(caller, Math.floor(each / 2))}`),
    list: all(() => '/orders?limit=20'),
    'list, deep': all((caller) => `/orders?limit=20&cursor=${cursor(orderId(caller, 30))}`),
    'list, filtered': all(() => '/orders?limit=20&status=cancelled'),
    'dead list': [{ method: 'GET', path: '/runtime/tasks?state=dead&limit=20', headers: admin }],
    dashboard: [{ method: 'GET', path: '/runtime/tasks/overview', headers: admin }],
  }
}

async function measure(
  bench: Bench,
  side: Side,
  work: string,
  deliver: ReturnType<typeof fork>,
): Promise<Metric[]> {
  const { running, url, reads } = side
  const authorization = await bench.callerOfCallbacks()
  const ids = work === 'claim' ? await addQueued(url, bench.quick ? 100 : 500) : []
  const before = cpuUs(running.pid) + familyCpuUs(bench.postgres.pid)
  const started = performance.now()
  let count = ids.length
  if (work === 'claim') {
    deliver.send({
      ...{ port: running.port, name: 'orders.fulfil' },
      ids,
      authorization,
      connections: 16,
    } satisfies Deliveries)
    const [{ failure }] = await once(deliver, 'message')
    if (failure) throw new Error(`${side.label}: ${failure}`)
  } else if (work === 'tick') {
    for (count = 0; count < 10; count++) {
      const headers = { ...front, authorization }
      const { status, text } = await send(running.port, { method: 'POST', path: '/runtime/tick', headers })
      if (status !== 200) throw new Error(`${side.label}: the tick got ${status} ${text}`)
    }
  } else {
    const load = await saturate(running.port, reads[work] ?? [], {
      seconds: bench.quick ? 1 : 3,
      connections: 16,
    })
    if (load.refused + load.broken > 0) throw new Error(`${side.label} failed at ${work}`)
    count = load.requests
  }
  const ms = performance.now() - started
  const us = cpuUs(running.pid) + familyCpuUs(bench.postgres.pid) - before
  return [
    { name: 'rate', unit: '/s', better: 'higher', values: [(count * 1000) / ms] },
    { name: 'CPU of both', unit: 'µs', better: 'lower', values: [us / count] },
  ]
}

function join(before: Metric | undefined, { values, ...metric }: Metric): Metric {
  return { ...metric, values: [...(before?.values ?? []), ...values] }
}
