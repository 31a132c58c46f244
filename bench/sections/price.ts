import { contestants } from '../harness/contestants.ts'
import type { Row } from '../harness/result.ts'
import type { Section } from '../harness/section.ts'
import prices from '../prices.json' with { type: 'json' }
import { measureThroughput } from './throughput.ts'

const { service, handWritten, fastify, express, nest, naiveHono } = contestants
const works = ['get', 'post', 'list'] as const
const isWork = (section: string) => works.some((work) => work === section)

/**
 * What the CPU of a million requests costs on Cloud Run. The fee for a request, memory and idle time are left out: the fee is the
 * same for all, and the rest depends on the traffic.
 */
export const price: Section = {
  name: 'price',
  title: 'Price: the CPU of a million requests on Cloud Run',
  async run(bench, earlier) {
    // another section may have rows of the same work: growth has its own get
    const known = earlier.filter(({ section }) => isWork(section)).flatMap(({ rows }) => rows)
    // what a section of this run has tried is not tried again
    const missing = works.filter((work) => !earlier.some(({ section }) => section === work))
    const everybody = [service, handWritten, fastify, express, nest, naiveHono]
    const rows =
      missing.length === 0 ? known : [...known, ...(await measureThroughput(bench, everybody, missing))]
    return {
      section: 'price',
      notes: [
        `In cents: CPU time of the contestant at ${prices.dollarsPerVcpuSecond} dollars a vCPU second (${prices.source}; read on ${prices.date}). The fee of ${prices.dollarsPerMillionRequests} dollars a million requests is the same for all. The processor is fully used here: an instance that waits costs more.`,
      ],
      rows: works.flatMap((work) => rows.filter((row) => row.work === work).map(priceOf)),
    }
  },
}

function priceOf({ work, contestant, metrics }: Row): Row {
  const us = metrics.find(({ name }) => name === 'CPU')?.values ?? []
  // microseconds of a request are seconds of a million
  const cents = us.map((seconds) => seconds * prices.dollarsPerVcpuSecond * 100)
  return { work, contestant, metrics: [{ name: 'price', unit: '¢', better: 'lower', values: cents }] }
}
