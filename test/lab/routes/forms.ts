import { defineRoute, file, handle, json, z } from '#runtime'

const security = 'public'
const responses = { 200: json('What came', z.looseObject({})) }
const names = z.array(z.string().max(20)).max(3)

/** Every shape of list and union that a query or a form may have. */
const fields = {
  tag: names.optional(),
  sorted: names.transform((values) => values.toSorted()).optional(),
  either: z.union([z.string(), names]).optional(),
  ids: z.array(z.int()).readonly().default([]),
  pair: z.tuple([z.string(), z.number()]).optional(),
  page: z.union([z.int(), z.literal('last')]).optional(),
  open: z.boolean().default(false),
}

const search = defineRoute({
  method: 'get',
  path: '/search',
  operationId: 'search',
  summary: 'Search',
  security,
  request: { query: z.strictObject(fields).refine(({ tag, either }) => !(tag && either), 'is one too many') },
  responses,
})

const filter = defineRoute({
  method: 'get',
  path: '/filter',
  operationId: 'filter',
  summary: 'Filter by any name',
  security,
  request: { query: z.looseObject({ limit: z.int().default(10) }) },
  responses,
})

const submit = defineRoute({
  method: 'post',
  path: '/submit',
  operationId: 'submit',
  summary: 'Submit a form',
  security,
  request: {
    body: {
      required: true,
      content: {
        'application/x-www-form-urlencoded': { schema: z.strictObject(fields) },
        'multipart/form-data': { schema: z.strictObject(fields) },
      },
    },
  },
  responses,
})

const Kind = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mail'), to: names }),
  z.strictObject({ kind: z.literal('call'), number: z.string() }),
])
const notify = defineRoute({
  method: 'post',
  path: '/notify',
  operationId: 'notify',
  summary: 'Notify in one of two ways',
  security,
  request: { body: { required: true, content: { 'application/x-www-form-urlencoded': { schema: Kind } } } },
  responses,
})

const Profile = z.strictObject({
  name: z.string().min(1),
  photo: file({ types: ['image/png', 'image/jpeg'], maxBytes: 1_000, description: 'Of the face' }),
  letter: file().optional(),
  pages: z
    .array(file({ types: ['text/plain'] }))
    .max(3)
    .default([]),
})
const upload = defineRoute({
  method: 'post',
  path: '/profiles',
  operationId: 'uploadProfile',
  summary: 'Upload a profile',
  security,
  bodyLimit: 100_000,
  request: { body: { required: true, content: { 'multipart/form-data': { schema: Profile } } } },
  responses,
})

/** Lists, unions and files, in queries and in forms. */
export function forms() {
  return [
    handle(search, (c) => c.json(asJson(c.req.valid('query')), 200)),
    handle(filter, (c) => c.json(asJson(c.req.valid('query')), 200)),
    handle(submit, (c) => c.json(asJson(c.req.valid('form')), 200)),
    handle(notify, (c) => c.json(asJson(c.req.valid('form')), 200)),
    handle(upload, async (c) => {
      const { name, photo, letter, pages } = c.req.valid('form')
      const shown = (one: File) => one.text().then((text) => ({ name: one.name, type: one.type, text }))
      const files = { photo: await shown(photo), pages: await Promise.all(pages.map(shown)) }
      return c.json(asJson({ name, ...files, letter: letter && (await shown(letter)) }), 200)
    }),
  ]
}

/** What JSON holds of values. */
function asJson(values: object): Record<string, string> {
  return JSON.parse(JSON.stringify(values))
}
