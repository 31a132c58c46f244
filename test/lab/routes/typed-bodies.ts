import { createHash } from 'node:crypto'
import { defineRoute, handle, json, z } from '#runtime'

const security = 'public'
const Note = z.strictObject({ title: z.string() })
const Change = z.strictObject({ title: z.string().nullable() })
const Seen = z.looseObject({})
const responses = { 200: json('What came', Seen) }

const optional = defineRoute({
  method: 'post',
  path: '/notes/optional',
  operationId: 'writeOptional',
  summary: 'Take a note, or none',
  security,
  request: {
    body: {
      content: {
        'application/json': { schema: Note },
        'application/x-www-form-urlencoded': { schema: Note },
      },
    },
  },
  responses,
})

const removed = defineRoute({
  method: 'delete',
  path: '/notes/listed',
  operationId: 'removeListed',
  summary: 'Remove what the body lists',
  security,
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: z.strictObject({ ids: z.array(z.int()) }) } },
    },
  },
  responses,
})

const patched = defineRoute({
  method: 'patch',
  path: '/notes/patched',
  operationId: 'patchNote',
  summary: 'Change a note',
  security,
  request: { body: { required: true, content: { 'application/merge-patch+json': { schema: Change } } } },
  responses,
})

const echoed = defineRoute({
  method: 'post',
  path: '/blobs/echo',
  operationId: 'echoBytes',
  summary: 'Send the bytes back',
  security,
  bodyLimit: 5 * 1024 * 1024,
  request: { body: { required: true, content: { 'application/octet-stream': {} } } },
  responses: { 200: { description: 'The same bytes', content: { 'application/octet-stream': {} } } },
})

const image = defineRoute({
  method: 'put',
  path: '/blobs/image',
  operationId: 'putImage',
  summary: 'Take an image, or a text',
  security,
  request: { body: { content: { 'image/*': {}, 'text/*': { schema: z.string() } } } },
  responses,
})

const anything = defineRoute({
  ...image,
  path: '/blobs/any',
  operationId: 'putAnything',
  summary: 'Take anything',
  request: { body: { content: { 'image/png': { schema: z.string() }, '*/*': {} } } },
})

const rows = defineRoute({
  method: 'post',
  path: '/rows',
  operationId: 'importRows',
  summary: 'Import rows',
  security,
  request: {
    body: {
      required: true,
      content: {
        'text/csv': {
          schema: z
            .string()
            .max(100)
            .transform((text) => text.split('\n').map((line) => line.split(','))),
        },
      },
    },
  },
  responses,
})

const few = defineRoute({
  method: 'post',
  path: '/values/few',
  operationId: 'takeFew',
  summary: 'Take ten values at most',
  security,
  bodyValues: 10,
  request: { body: { required: true, content: { 'application/json': { schema: z.array(z.int()) } } } },
  responses,
})

const many = defineRoute({ ...few, path: '/values/usual', operationId: 'takeUsual', bodyValues: 100_000 })

async function seen(request: { blob(): Promise<Blob> }) {
  const blob = await request.blob()
  const sha256 = createHash('sha256')
    .update(await blob.bytes())
    .digest('hex')
  return { type: blob.type, size: blob.size, sha256 }
}

/** Routes that state bodies of every type. */
export function typedBodies() {
  return [
    handle(optional, (c) =>
      c.json({ json: c.req.valid('json')?.title ?? null, form: c.req.valid('form')?.title ?? null }, 200),
    ),
    handle(removed, (c) => c.json({ ids: c.req.valid('json').ids }, 200)),
    handle(patched, (c) => c.json({ title: c.req.valid('json').title }, 200)),
    handle(echoed, async (c) =>
      c.body(await c.req.arrayBuffer(), 200, { 'Content-Type': 'application/octet-stream' }),
    ),
    handle(image, async (c) => c.json({ ...(await seen(c.req)), text: c.req.valid('text') ?? null }, 200)),
    handle(anything, async (c) => c.json({ ...(await seen(c.req)), text: c.req.valid('text') ?? null }, 200)),
    handle(rows, (c) => c.json({ rows: c.req.valid('text') }, 200)),
    handle(few, (c) => c.json({ count: c.req.valid('json').length }, 200)),
    handle(many, (c) => c.json({ count: c.req.valid('json').length }, 200)),
  ]
}
