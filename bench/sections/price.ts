import { contestants } from '../harness/contestants.ts'
import type { Row } from '../harness/result.ts'
import type { Section } from '../harness/section.ts'
import prices from '../prices.json' with { type: 'json' }
import { measureThroughput } from './throughput.ts'

const { service, handWritten, fastify, express, nest, naiveHono } = contestants
const works = ['get', 'post', 'list'] as const

/**
 * What a million requests cost on Cloud Run: their CPU at its price, and the price of a request. Memory and idle time are left
 * out: they depend on the traffic, and are the same for all.
 */
export const price: Section = {
  name: 'price',
  title: 'Price: dollars for a million requests on Cloud Run',
  async run(bench, earlier) {
    const known = earlier.flatMap(({ rows }) => rows)
    const missing = works.filter((work) => !known.some((row) => row.work === work))
    const everybody = [service, handWritten, fastify, express, nest, naiveHono]
    const rows =
      missing.length === 0 ? known : [...known, ...(await measureThroughput(bench, everybody, missing))]
    return {
      section: 'price',
      notes: [
        `CPU time of the contestant at ${prices.dollarsPerVcpuSecond} dollars a vCPU second, and ${prices.dollarsPerMillionRequests} dollars a million requests (${prices.source}; read on ${prices.date}). A processor that is fully used: an instance that waits costs more.`,
      ],
      rows: works.flatMap((work) => rows.filter((row) => row.work === work).map(priceOf)),
    }
  },
}

function priceOf({ work, contestant, metrics }: Row): Row {
  const us = metrics.find(({ name }) => name === 'CPU')?.values ?? []
  const dollars = us.map((value) => value * prices.dollarsPerVcpuSecond + prices.dollarsPerMillionRequests)
  return { work, contestant, metrics: [{ name: 'price', unit: '$', better: 'lower', values: dollars }] }
}
