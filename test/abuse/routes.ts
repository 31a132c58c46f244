import { setTimeout } from 'node:timers/promises'
import {
  defineFeature,
  defineRoute,
  file,
  handle,
  handlePlain,
  json,
  jsonBody,
  sendStream,
  stream,
  z,
} from '#runtime'
import { schemas } from './schemas.ts'

const responses = { 200: json('Taken', z.strictObject({ taken: z.boolean() })) }
const open = { method: 'post', security: 'public', summary: 'Take it', responses } as const

/** What a database would take: as long as it lasts, the body is held. */
const workMs = 100

const takers = Object.entries(schemas).map(([path, schema]) =>
  handle(
    defineRoute({
      ...open,
      path: `/${path}`,
      operationId: path,
      request: { body: jsonBody<z.ZodType>(schema) },
    }),
    async (c) => {
      await setTimeout(workMs)
      return c.json({ taken: c.req.valid('json') !== undefined }, 200)
    },
  ),
)

const Tags = z.strictObject({ tag: z.array(z.string()) })
const files = defineRoute({
  ...open,
  path: '/files',
  operationId: 'files',
  request: {
    body: {
      required: true,
      content: { 'multipart/form-data': { schema: z.strictObject({ tag: z.array(file()) }) } },
    },
  },
})
const cookies = defineRoute({
  ...open,
  method: 'get',
  path: '/cookies',
  operationId: 'cookies',
  request: { cookies: z.strictObject({ a: z.string().optional() }) },
})
const form = defineRoute({
  ...open,
  path: '/form',
  operationId: 'form',
  request: {
    body: {
      required: true,
      content: {
        'application/x-www-form-urlencoded': { schema: Tags },
        'multipart/form-data': { schema: Tags },
      },
    },
  },
})

/** 5 MB. */
const large = 'x'.repeat(5_000_000)
const Page = z.strictObject({ page: z.array(z.string()) })
const page = defineRoute({
  method: 'get',
  path: '/page',
  operationId: 'page',
  summary: 'A page of 5 MB',
  security: 'public',
  responses: { 200: json('All of it', Page) },
})
const flow = defineRoute({
  ...{ method: 'get', path: '/flow', operationId: 'flow', summary: 'A stream of 100 MB', security: 'public' },
  responses: { 200: stream('text/plain', 'All of it') },
} as const)

/** Routes whose requests cost as much as their limits let them. */
export const abuse = defineFeature({
  name: 'abuse',
  description: 'What takes much, and gives much.',
  routes: () => [
    ...takers,
    handle(form, (c) => c.json({ taken: c.req.valid('form') !== undefined }, 200)),
    handle(files, (c) => c.json({ taken: c.req.valid('form') !== undefined }, 200)),
    handle(cookies, (c) => c.json({ taken: c.req.valid('cookie') !== undefined }, 200)),
    handle(page, (c) => c.json({ page: Array.from({ length: 50 }, () => large.slice(0, 100_000)) }, 200)),
    handle(flow, (c) => sendStream(c, 'text/plain', chunks())),
    handlePlain({ method: 'get', path: '/text', security: 'public' }, (c) => c.text(`${large}.`)),
    handlePlain({ method: 'post', path: '/plain', security: 'public' }, async (c) => {
      const value: unknown = await c.req.json()
      await setTimeout(workMs)
      return c.text(typeof value)
    }),
    handlePlain({ method: 'post', path: '/plain-form', security: 'public' }, async (c) =>
      c.text(String([...(await c.req.formData())].length)),
    ),
  ],
})

async function* chunks(): AsyncIterable<string> {
  for (let sent = 0; sent < 1000; sent++) yield large.slice(0, 100_000)
}
