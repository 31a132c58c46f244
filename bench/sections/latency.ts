import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from '../harness/build.ts'
import { check } from '../harness/check.ts'
import { contestants, labelOf } from '../harness/contestants.ts'
import { saturate } from '../harness/load.ts'
import type { OpenLoad, OpenResult } from '../harness/open-load.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Row } from '../harness/result.ts'
import { type Running, start } from '../harness/run.ts'
import type { Section } from '../harness/section.ts'
import type { HttpRequest } from '../harness/send.ts'

const list = [contestants.service, contestants.fastify]

interface Turn {
  readonly peak: number
  readonly half: OpenResult
  readonly twice: OpenResult
  readonly seconds: number
}

/** Requests at a fixed rate: half of what the contestant can take, and twice as many. */
export const latency: Section = {
  name: 'latency',
  title: 'Latency at half of the saturating rate, and what is served at twice it',
  async run(bench) {
    await build(list)
    const rounds = bench.quick ? 1 : 5
    const seconds = bench.quick ? 3 : 10
    const turns = new Map(list.map((contestant) => [labelOf(contestant), [] as Turn[]]))
    const running: Running[] = []
    const loader = fork(fileURLToPath(new URL('../harness/open-load.ts', import.meta.url)))
    async function send(load: OpenLoad): Promise<OpenResult> {
      loader.send(load)
      const [result] = await once(loader, 'message')
      return result
    }
    try {
      for (const contestant of list)
        running.push(
          await start(contestant, bench.environment, { first: requests.get[0] as HttpRequest, status: 200 }),
        )
      for (const one of running) {
        await check(one, 'get')
        await saturate(one.port, requests.get, { seconds: bench.quick ? 4 : 12, connections: 16 })
      }
      for (let round = 1; round <= rounds; round++) {
        for (const { contestant, port } of running) {
          const label = labelOf(contestant)
          progress(`latency: round ${round} of ${rounds}, ${label}`)
          const load = { port, requests: requests.get, seconds }
          const most = await saturate(port, requests.get, { seconds: bench.quick ? 1 : 3, connections: 64 })
          const peak = most.requests / most.seconds
          const half = await send({ ...load, rate: peak / 2, connections: 64 })
          const twice = await send({ ...load, rate: peak * 2, connections: 512 })
          if (half.bad > 0)
            throw new Error(`${label} failed ${half.bad} of ${half.sent} requests at half of its rate`)
          turns.get(label)?.push({ peak, half, twice, seconds })
        }
      }
    } finally {
      loader.disconnect()
      for (const one of running) await one.stop()
    }
    const notes = [
      'Requests are sent at their time, whether earlier ones have their response or not, and latency counts from that time. Goodput: responses below 400 within the time, as a share of the saturating rate. At twice the rate the sender needs CPU as well, on its own processor.',
    ]
    return { section: 'latency', notes, rows: Array.from(turns, ([label, all]) => rowOf(label, all)) }
  },
}

function rowOf(contestant: string, turns: readonly Turn[]): Row {
  const share = (count: number, { sent }: OpenResult) => (100 * count) / sent
  return {
    work: 'latency',
    contestant,
    metrics: [
      { name: 'p50', unit: 'ms', better: 'lower', values: turns.map(({ half }) => half.p50) },
      { name: 'p99', unit: 'ms', better: 'lower', values: turns.map(({ half }) => half.p99) },
      {
        name: 'goodput',
        unit: '%',
        better: 'higher',
        values: turns.map(({ twice, peak, seconds }) => (100 * twice.good) / (peak * seconds)),
      },
      {
        name: '503 at twice',
        unit: '%',
        better: 'lower',
        values: turns.map(({ twice }) => share(twice.shed, twice)),
      },
      {
        name: 'failed at twice',
        unit: '%',
        better: 'lower',
        values: turns.map(({ twice }) => share(twice.bad, twice)),
      },
    ],
  }
}
