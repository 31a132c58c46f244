import { defineRoute, handle, handlePlain, json, z } from '#runtime'

const Seen = z.object({ params: z.record(z.string(), z.string()) })
const security = 'public'
const responses = { 200: json('What the path holds', Seen) }

const removed = defineRoute({
  method: 'delete',
  path: '/things/{id}',
  operationId: 'removeThing',
  summary: 'Remove a thing',
  security,
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'It is gone' } },
})

const shown = defineRoute({
  method: 'get',
  path: '/things/{id}',
  operationId: 'showThing',
  summary: 'Show a thing',
  security,
  request: { params: z.object({ id: z.uuid() }) },
  responses,
})

const archived = defineRoute({
  method: 'post',
  path: '/things/{id}:archive',
  operationId: 'archiveThing',
  summary: 'Archive a thing',
  security,
  request: { params: z.object({ id: z.uuid() }) },
  responses,
})

const imported = defineRoute({
  method: 'post',
  path: '/things:import',
  operationId: 'importThings',
  summary: 'Import things',
  security,
  responses,
})

// listed after /things/{id}, which would take its path, where the order of the list decided
const summary = defineRoute({
  method: 'get',
  path: '/things/summary',
  operationId: 'summarizeThings',
  summary: 'Sum things up',
  security,
  responses,
})

const redriven = defineRoute({
  method: 'post',
  path: '/things/redrive',
  operationId: 'redriveThings',
  summary: 'Redrive things',
  security,
  responses,
})

const report = defineRoute({
  method: 'get',
  path: '/reports/{id}.csv',
  operationId: 'showReport',
  summary: 'Show a report',
  security,
  request: { params: z.object({ id: z.string() }) },
  responses,
})

const pair = defineRoute({
  method: 'get',
  path: '/pairs/{a}-{b}',
  operationId: 'showPair',
  summary: 'Show a pair',
  security,
  request: { params: z.object({ a: z.string(), b: z.coerce.string() }) },
  responses,
})

const below = defineRoute({
  method: 'get',
  path: '/things/{id}',
  operationId: 'showNestedThing',
  summary: 'Show a thing of a shop',
  security,
  request: { params: z.object({ shop: z.string(), id: z.string() }) },
  responses,
})

/** Shapes of paths. */
export function paths() {
  return [
    handle(removed, (c) => c.body(null, 204)),
    handle(shown, (c) => c.json({ params: c.req.valid('param') }, 200)),
    handle(archived, (c) => c.json({ params: c.req.valid('param') }, 200)),
    handle(imported, (c) => c.json({ params: {} }, 200)),
    handle(summary, (c) => c.json({ params: {} }, 200)),
    handle(redriven, (c) => c.json({ params: {} }, 200)),
    handle(report, (c) => c.json({ params: c.req.valid('param') }, 200)),
    handle(pair, (c) => c.json({ params: c.req.valid('param') }, 200)),
    handlePlain({ method: 'get', path: '/tree/*', security }, (c) => c.text(c.req.path)),
    handlePlain({ method: 'put', path: '/tree/:name', security }, (c) => c.text(c.req.param('name') ?? '')),
  ]
}

/** Routes below a prefix that has a parameter of its own. */
export function nested() {
  return [
    handle(below, (c) => c.json({ params: c.req.valid('param') }, 200)),
    handlePlain({ method: 'post', path: '/hooks/:name', security }, (c) => c.json(c.req.param())),
  ]
}
