import { contestants } from '../harness/contestants.ts'
import type { Section } from '../harness/section.ts'
import { measureThroughput } from './throughput.ts'

const { service, handWritten, fastify, fastifyMinimal, express, nest, naiveHono } = contestants
const everybody = [service, handWritten, fastify, express, nest, naiveHono]

export const get: Section = {
  name: 'get',
  title: 'GET /orders/{id}: token, validation, one row',
  run: async (bench) => ({
    section: 'get',
    rows: await measureThroughput(
      bench,
      [service, handWritten, fastify, fastifyMinimal, express, nest, naiveHono],
      ['get'],
    ),
  }),
}

export const post: Section = {
  name: 'post',
  title: 'POST /orders: token, body, transaction with a task, hand-over to Cloud Tasks',
  run: async (bench) => ({ section: 'post', rows: await measureThroughput(bench, everybody, ['post']) }),
}

export const list: Section = {
  name: 'list',
  title: 'GET /orders: 20 orders of a keyset page, plain and with gzip',
  run: async (bench) => ({
    section: 'list',
    rows: await measureThroughput(bench, everybody, ['list', 'listGzip']),
  }),
}

export const rejected: Section = {
  name: 'rejected',
  title: 'Requests that are refused: no token, a bad token, a bad body',
  run: async (bench) => ({
    section: 'rejected',
    rows: await measureThroughput(bench, everybody, ['noToken', 'badToken', 'badBody']),
  }),
}
