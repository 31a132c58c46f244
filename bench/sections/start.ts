import { build } from '../harness/build.ts'
import { contestants, labelOf } from '../harness/contestants.ts'
import { cpuUs } from '../harness/cpu.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Row } from '../harness/result.ts'
import { start as run } from '../harness/run.ts'
import type { Section } from '../harness/section.ts'
import type { HttpRequest } from '../harness/send.ts'

const { service, bareNode, bareHono, fastifyBundled, fastify, express, naiveHono, unbundled } = contestants
const list = [service, bareNode, bareHono, fastifyBundled, fastify, express, naiveHono, unbundled]

/** From the start of a fresh process to the first validated, authenticated response. Files are in the cache. */
export const start: Section = {
  name: 'start',
  title: 'Start: from a fresh process to the first validated, authenticated response',
  async run(bench) {
    await build(list)
    const first = requests.get[0] as HttpRequest
    const times = new Map<string, { ms: number[]; cpuMs: number[] }>()
    const rounds = bench.quick ? 5 : 21
    for (let round = 0; round <= rounds; round++) {
      for (const contestant of list) {
        const label = labelOf(contestant)
        progress(`start: round ${round} of ${rounds}, ${label}`)
        const running = await run(contestant, bench.environment, { first, status: 200 })
        const cpuMs = cpuUs(running.pid) / 1000
        await running.stop()
        const { ms, cpuMs: all } = times.get(label) ?? { ms: [], cpuMs: [] }
        // round 0 fills the cache of files
        if (round > 0) times.set(label, { ms: [...ms, running.startMs], cpuMs: [...all, cpuMs] })
      }
    }
    const rows = list.map((contestant): Row => {
      const { ms = [], cpuMs = [] } = times.get(labelOf(contestant)) ?? {}
      return {
        work: 'start',
        contestant: labelOf(contestant),
        metrics: [
          { name: 'time', unit: 'ms', better: 'lower', values: ms },
          { name: 'CPU', unit: 'ms', better: 'lower', values: cpuMs },
        ],
      }
    })
    return { section: 'start', rows }
  },
}
