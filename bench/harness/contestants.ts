import { fileURLToPath } from 'node:url'

/** What a contestant does around each request. It stands in the results, and the check holds the contestant to it. */
export interface Duties {
  /** `cloud`: one JSON line in Cloud Logging's fields. `text`: lines for people. */
  readonly log: 'cloud' | 'json' | 'text' | 'none'
  /** `X-Request-Id` on every response. */
  readonly requestId: boolean
  /** `service`: the service's headers, with HSTS. `own`: what its own library sends. */
  readonly headers: 'service' | 'own' | 'none'
  /** Whether a verified token is remembered. */
  readonly tokenCache: boolean
  readonly validationIn: string
  readonly validationOut: string
  /** Problems (RFC 9457) with a code and `WWW-Authenticate`. Without them only the status is right. */
  readonly problems: boolean
}

/** How a contestant's code reaches Node. */
export type Form =
  /** The service's bundle, as the image has it. */
  | 'service'
  /** The service's bundle with a feature of the benchmark. */
  | 'extended'
  /** TypeScript sources, which Node strips. */
  | 'sources'
  /** Compiled, with its packages in node_modules. */
  | 'installed'
  /** One file with the code that V8 has compiled, made as the service's bundle. */
  | 'bundled'

/** Something that is measured. */
export interface Contestant {
  readonly name: string
  readonly form: Form
  readonly what: string
  readonly duties: Duties
  /** What it gets in its environment beside what all get. */
  readonly environment?: Readonly<Record<string, string>>
}

const repository = fileURLToPath(new URL('../../', import.meta.url))
const build = fileURLToPath(new URL('../.build/', import.meta.url))

/** Where the service's repository is, and where the benchmark builds. */
export const folders = { repository, build }

const full: Duties = {
  log: 'cloud',
  requestId: true,
  headers: 'service',
  tokenCache: true,
  validationIn: 'zod',
  validationOut: 'zod, unknown keys dropped',
  problems: true,
}
const bare: Duties = {
  log: 'none',
  requestId: false,
  headers: 'none',
  tokenCache: false,
  validationIn: 'the id, by hand',
  validationOut: 'none',
  problems: false,
}
const bySchema = 'serialized by schema, unknown keys dropped'

const service: Contestant = {
  name: 'service',
  form: 'service',
  what: 'This service: the bundle, as the image has it. Beside the duties here: deadline, body limit, idempotency keys, statement time-outs, checked connections',
  duties: full,
}
const handWritten: Contestant = {
  name: 'hand-written',
  form: 'installed',
  what: 'node:http, jose and pg with prepared statements, the same duties by hand',
  duties: { ...full, validationIn: 'by hand', validationOut: 'none: built by hand' },
}
const fastify: Contestant = {
  name: 'fastify',
  form: 'installed',
  what: 'Fastify, @fastify/jwt with its cache, @fastify/compress, pg with prepared statements; the headers by one hook, which takes less than helmet',
  duties: { ...full, validationIn: 'ajv', validationOut: bySchema },
}

/** All contestants, the service first. */
export const contestants = {
  service,
  unbundled: {
    ...service,
    name: 'service-unbundled',
    form: 'sources',
    what: 'This service from its TypeScript sources, with its packages in node_modules',
  },
  handWritten,
  fastify,
  fastifyMinimal: {
    name: 'fastify-minimal',
    form: 'installed',
    what: 'Fastify, @fastify/jwt with its cache, pg with prepared statements, and no more',
    duties: { ...bare, tokenCache: true, validationIn: 'ajv', validationOut: bySchema },
  },
  naiveHono: {
    name: 'naive-hono',
    form: 'installed',
    what: 'Hono, zod-openapi and drizzle as their pages show them, with Hono’s own middleware',
    duties: {
      ...{ log: 'text', requestId: true, headers: 'own', tokenCache: false },
      ...{ validationIn: 'zod', validationOut: 'none', problems: false },
    },
  },
  express: {
    name: 'express',
    form: 'installed',
    what: 'Express with helmet, compression, pino-http, jose, zod and pg, as its pages for production propose',
    duties: {
      ...{ log: 'json', requestId: true, headers: 'own', tokenCache: false },
      ...{ validationIn: 'zod', validationOut: 'none', problems: false },
    },
  },
  nest: {
    name: 'nest',
    form: 'installed',
    what: 'NestJS on Express with @nestjs/jwt, class-validator, the serializer, helmet, compression, nestjs-pino and pg, as its pages show them',
    duties: {
      ...{ log: 'json', requestId: true, headers: 'own', tokenCache: false },
      ...{
        validationIn: 'class-validator',
        validationOut: 'class-transformer, unknown keys dropped',
        problems: false,
      },
    },
  },
  bareNode: {
    name: 'bare-node',
    form: 'bundled',
    what: 'node:http, jose and pg, and no duties; bundled as the service',
    duties: bare,
  },
  bareNodeInstalled: {
    name: 'bare-node',
    form: 'installed',
    what: 'the same as bare-node, but with its packages in node_modules and no compiled code',
    duties: bare,
  },
  bareHono: {
    name: 'bare-hono',
    form: 'bundled',
    what: 'Hono, jose and pg, and no duties; bundled as the service',
    duties: bare,
  },
  fastifyBundled: {
    ...fastify,
    form: 'bundled',
    what: 'Fastify as above, but bundled as the service, which its pages do not propose',
  },
} satisfies Record<string, Contestant>

/** The service with tasks that the example does not have. */
export const serviceTasks: Contestant = {
  ...service,
  name: 'service-tasks',
  form: 'extended',
}

const ofTasks = { form: 'installed', duties: bare } as const

/** What runs tasks beside the service. */
export const taskContestants = {
  graphileWorker: {
    ...ofTasks,
    name: 'graphile-worker',
    what: 'graphile-worker with the settings of its page on performance: jobs are taken and completed in batches, 24 run at once',
  },
  graphileWorkerSingle: {
    ...ofTasks,
    name: 'graphile-worker',
    what: 'the same without batches: each job is taken and completed by itself',
    environment: { BATCHES: 'no' },
  },
  pgBoss: {
    ...ofTasks,
    name: 'pg-boss',
    what: 'pg-boss: 4 workers, batches of 50, no pause while batches are full; new jobs are announced by NOTIFY',
  },
  dbos: {
    ...ofTasks,
    name: 'dbos',
    what: 'DBOS: a workflow with five steps, 24 at once. They are started directly, because a queue would poll; so the start of a workflow, which stores it, is measured as well',
  },
} satisfies Record<string, Contestant>

/** What tells a contestant from others in tables: its name, and its form where two differ only in that. */
export function labelOf({ name, form, environment }: Contestant): string {
  if (name === 'service-tasks') return 'service'
  if (environment?.BATCHES) return `${name}, no batches`
  if (name === 'fastify' && form === 'bundled') return 'fastify-bundled'
  return name === 'bare-node' && form === 'installed' ? 'bare-node-installed' : name
}
