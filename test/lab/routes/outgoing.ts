import { defineRoute, handle, json, jsonBody, tracedFetch, z } from '#runtime'

const Call = z.strictObject({ url: z.url() }).openapi({ example: { url: 'https://example.com/' } })
const Said = z
  .object({ status: z.int(), said: z.string() })
  .openapi({ example: { status: 200, said: 'Hello' } })

const call = defineRoute({
  method: 'post',
  path: '/outgoing',
  operationId: 'callOthers',
  summary: 'Call someone else',
  security: 'public',
  request: { body: jsonBody(Call) },
  responses: { 200: json('What they said', Said) },
})

/** Calls to other services. */
export function outgoing() {
  return [
    handle(call, async (c) => {
      const { url } = c.req.valid('json')
      const response = await tracedFetch(url, { headers: { Accept: 'text/plain' } })
      return c.json({ status: response.status, said: await response.text() }, 200)
    }),
  ]
}
