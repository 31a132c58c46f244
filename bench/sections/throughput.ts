import { build } from '../harness/build.ts'
import { check } from '../harness/check.ts'
import { type Contestant, labelOf } from '../harness/contestants.ts'
import { cpuUs, familyCpuUs } from '../harness/cpu.ts'
import { fill } from '../harness/environment.ts'
import { saturate } from '../harness/load.ts'
import { progress } from '../harness/progress.ts'
import { requests, type Work } from '../harness/requests.ts'
import type { Metric, Row } from '../harness/result.ts'
import { type Running, start } from '../harness/run.ts'
import type { Bench } from '../harness/section.ts'

const connections = 16

interface Turn {
  readonly rate: number
  readonly cpu: number
  readonly postgres: number
}

/**
 * Loads contestants with each work in turn, A B C A B C. All of them run from the first round to the last; only one has
 * something to do at a time.
 *
 * @returns requests per second, CPU time of the contestant and of PostgreSQL per request
 * @throws {Error} if a contestant gives a wrong response, before or during the load
 */
export async function measureThroughput(
  bench: Bench,
  list: readonly Contestant[],
  works: readonly Work[],
): Promise<Row[]> {
  const rounds = bench.quick ? 2 : 7
  await build(list)
  const running: Running[] = []
  const turns = new Map<string, Turn[]>()
  try {
    for (const contestant of list) {
      const [first] = requests.get
      if (first) running.push(await start(contestant, bench.environment, { first, status: 200 }))
    }
    for (const work of works) {
      for (const one of running) {
        progress(`${work}: ${labelOf(one.contestant)}, check and warm-up`)
        await check(one, work)
        await warmUp(bench, one, work)
      }
      for (let round = 1; round <= rounds; round++) {
        for (const one of running) {
          progress(`${work}: round ${round} of ${rounds}, ${labelOf(one.contestant)}`)
          const key = `${work} ${labelOf(one.contestant)}`
          const turn = await takeTurn(bench, one, work, bench.quick ? 1 : 3)
          turns.set(key, [...(turns.get(key) ?? []), turn])
        }
      }
    }
  } finally {
    for (const one of running) await one.stop()
  }
  return works.flatMap((work) =>
    list.map((contestant) => ({
      work,
      contestant: labelOf(contestant),
      metrics: metricsOf(turns.get(`${work} ${labelOf(contestant)}`) ?? []),
    })),
  )
}

/** How many responses V8 has seen before it is measured, if they come in time: it compiles for a while. */
const warmUpRequests = 40_000
const warmUpTurns = 12

async function warmUp(bench: Bench, running: Running, work: Work): Promise<void> {
  let served = 0
  for (let turn = 0; turn < (bench.quick ? 2 : warmUpTurns) && served < warmUpRequests; turn++)
    served += 2 * (await takeTurn(bench, running, work, 2)).rate
}

async function takeTurn(
  bench: Bench,
  { contestant, port, pid }: Running,
  work: Work,
  seconds: number,
): Promise<Turn> {
  if (work === 'post') await fill(bench.databaseUrl)
  const before = { service: cpuUs(pid), postgres: familyCpuUs(bench.postgres.pid) }
  const load = await saturate(port, requests[work], { seconds, connections })
  if (load.requests === 0) throw new Error('The machine is too busy to be measured: no response came in time')
  const service = cpuUs(pid) - before.service
  const postgres = familyCpuUs(bench.postgres.pid) - before.postgres
  const expected = ['noToken', 'badToken', 'badBody'].includes(work) ? load.requests : 0
  if (load.refused !== expected || load.broken > 0) {
    const counts = `of ${load.requests} responses ${load.refused} were of 400 or above, and ${load.broken} failed`
    throw new Error(`${labelOf(contestant)} did not keep to ${work} under load: ${counts}`)
  }
  return {
    rate: load.requests / load.seconds,
    cpu: service / load.requests,
    postgres: postgres / load.requests,
  }
}

function metricsOf(turns: readonly Turn[]): Metric[] {
  const postgres = turns.map(({ postgres }) => postgres)
  const metrics: Metric[] = [
    { name: 'rate', unit: '/s', better: 'higher', values: turns.map(({ rate }) => rate) },
    { name: 'CPU', unit: 'µs', better: 'lower', values: turns.map(({ cpu }) => cpu) },
  ]
  // refused requests never reach it
  if (postgres.some((us) => us > 1))
    metrics.push({ name: 'CPU of PostgreSQL', unit: 'µs', better: 'lower', values: postgres })
  return metrics
}
