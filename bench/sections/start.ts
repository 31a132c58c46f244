import { build } from '../harness/build.ts'
import { type Contestant, contestants, labelOf } from '../harness/contestants.ts'
import { cpuUs } from '../harness/cpu.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Row } from '../harness/result.ts'
import { start as run } from '../harness/run.ts'
import type { Bench, Section } from '../harness/section.ts'
import type { HttpRequest } from '../harness/send.ts'

const {
  service,
  bareNode,
  bareNodeInstalled,
  bareHono,
  handWritten,
  fastifyBundled,
  fastify,
  express,
  nest,
  naiveHono,
  unbundled,
} = contestants

interface Entry {
  readonly label: string
  readonly contestant: Contestant
  readonly first: HttpRequest
  readonly status: number
}

const got = (contestant: Contestant): Entry => ({
  ...{ contestant, first: requests.get[0] as HttpRequest, status: 200, label: labelOf(contestant) },
})
const placed = (contestant: Contestant): Entry => ({
  ...{ contestant, first: requests.post[0] as HttpRequest, status: 201, label: labelOf(contestant) },
})

/** From the start of a fresh process to the first validated, authenticated response. Files are in the cache. */
export const start: Section = {
  name: 'start',
  title: 'Start: from a fresh process to the first validated, authenticated response',
  run: async (bench) => ({
    section: 'start',
    rows: await measureStarts(bench, 'start', [
      ...[
        service,
        bareNode,
        bareNodeInstalled,
        bareHono,
        fastifyBundled,
        fastify,
        express,
        nest,
        naiveHono,
        unbundled,
      ].map(got),
    ]),
  }),
}

/** The same until the first order is stored and its task handed over. */
export const firstOrder: Section = {
  name: 'first-order',
  title: 'First order: from a fresh process to the first order, stored, its task handed over',
  run: async (bench) => ({
    section: 'first-order',
    rows: await measureStarts(bench, 'first-order', [
      ...[service, handWritten, fastifyBundled, fastify, express, nest, naiveHono, unbundled].map(placed),
      { ...got(service), label: 'service, first GET' },
    ]),
  }),
}

async function measureStarts(bench: Bench, work: string, entries: readonly Entry[]): Promise<Row[]> {
  await build(entries.map(({ contestant }) => contestant))
  const times = new Map(entries.map(({ label }) => [label, { ms: [] as number[], cpuMs: [] as number[] }]))
  const rounds = bench.quick ? 2 : 15
  for (let round = 0; round <= rounds; round++) {
    for (const { label, contestant, first, status } of entries) {
      progress(`${work}: round ${round} of ${rounds}, ${label}`)
      const running = await run(contestant, bench.environment, { first, status })
      const cpuMs = cpuUs(running.pid) / 1000
      await running.stop()
      if (round === 0) continue // fills the cache of files
      times.get(label)?.ms.push(running.startMs)
      times.get(label)?.cpuMs.push(cpuMs)
    }
  }
  return Array.from(times, ([contestant, { ms, cpuMs }]) => ({
    ...{ work, contestant },
    metrics: [
      { name: 'time', unit: 'ms', better: 'lower', values: ms },
      { name: 'CPU', unit: 'ms', better: 'lower', values: cpuMs },
    ],
  }))
}
