import { setTimeout as pause } from 'node:timers/promises'
import { build } from '../harness/build.ts'
import { type Contestant, contestants, labelOf } from '../harness/contestants.ts'
import { residentMiB } from '../harness/cpu.ts'
import { fill } from '../harness/environment.ts'
import { saturate } from '../harness/load.ts'
import { limitMemory } from '../harness/memory-limit.ts'
import { progress } from '../harness/progress.ts'
import { requests } from '../harness/requests.ts'
import type { Metric, Row } from '../harness/result.ts'
import { start } from '../harness/run.ts'
import type { Bench, Section } from '../harness/section.ts'
import { type HttpRequest, send } from '../harness/send.ts'

const { service, handWritten, fastify, nest } = contestants
/** Few, because each takes two minutes. */
const list = [service, handWritten, fastify, nest]
const connections = 16
const limitMiB = 256
/** Just below the limit of a body. */
const largeBytes = 1_040_000

const first = requests.get[0] as HttpRequest
const mib = (name: string, ...values: number[]): Metric => ({ name, unit: 'MiB', better: 'lower', values })

/** Resident memory. Each figure is of a fresh process. */
export const memory: Section = {
  name: 'memory',
  title: 'Memory: resident, idle and after a minute of load',
  async run(bench) {
    await build(list)
    const seconds = bench.quick ? 5 : 60
    const idle = new Map<string, number[]>()
    const after = { get: new Map<string, number[]>(), post: new Map<string, number[]>() }
    for (const work of ['get', 'post'] as const) {
      for (const contestant of list) {
        const label = labelOf(contestant)
        progress(`memory: ${work}, ${label}`)
        const measured = await measure(bench, contestant, work, seconds)
        idle.set(label, [...(idle.get(label) ?? []), measured.idle])
        after[work].set(label, [measured.loaded])
      }
    }
    const rows = list.map((contestant): Row => {
      const label = labelOf(contestant)
      return {
        ...{ work: 'memory', contestant: label },
        metrics: [
          mib('idle', ...(idle.get(label) ?? [])),
          mib('after GET', ...(after.get.get(label) ?? [])),
          mib('after POST', ...(after.post.get(label) ?? [])),
        ],
      }
    })
    const large = await sendLargeBodies(bench, bench.quick ? 5 : 30)
    const notes = large
      ? []
      : ['This user cannot limit the memory of a process, so large bodies were not measured.']
    return { section: 'memory', notes, rows: large ? [...rows, large] : rows }
  },
}

async function measure(bench: Bench, contestant: Contestant, work: 'get' | 'post', seconds: number) {
  await fill(bench.databaseUrl)
  const running = await start(contestant, bench.environment, { first, status: 200 })
  try {
    await pause(2_000)
    const idle = residentMiB(running.pid).now
    const { refused, broken } = await saturate(running.port, requests[work], { seconds, connections })
    if (refused + broken > 0)
      throw new Error(`${labelOf(contestant)} failed ${refused + broken} of its requests`)
    return { idle, loaded: residentMiB(running.pid).now }
  } finally {
    await running.stop()
  }
}

/** Bodies of nearly 1 MiB in a group that may use 256 MiB. The service must still respond after them. */
async function sendLargeBodies(bench: Bench, seconds: number): Promise<Row | undefined> {
  const limit = limitMemory(limitMiB)
  if (!limit) return undefined
  progress(`memory: bodies of 1 MiB at ${limitMiB} MiB`)
  const body = JSON.stringify({ item: 'x'.repeat(largeBytes), quantity: 2 })
  const large = requests.post.slice(0, 1).map((request) => ({ ...request, body }))
  try {
    const running = await start(service, bench.environment, { first, status: 200, onSpawn: limit.add })
    try {
      const [one] = await Promise.all(large.map((request) => send(running.port, request)))
      if (one?.status !== 400)
        throw new Error(`service responded with ${one?.status} to a body of 1 MiB, not 400`)
      await saturate(running.port, large, { seconds, connections })
      const { status } = await send(running.port, first)
      if (status !== 200) throw new Error(`service responded with ${status} after large bodies`)
      return {
        ...{ work: `bodies of 1 MiB at ${limitMiB} MiB`, contestant: 'service' },
        metrics: [mib('peak', residentMiB(running.pid).peak)],
      }
    } finally {
      await running.stop()
    }
  } finally {
    limit.remove()
  }
}
