import { CallError, call, defineRoute, handle, json, jsonBody, tracedFetch, z } from '#runtime'

const Call = z.strictObject({ url: z.url() }).openapi({ example: { url: 'https://example.com/' } })
const Said = z
  .object({ status: z.int(), said: z.string() })
  .openapi({ example: { status: 200, said: 'Hello' } })

const callOthers = defineRoute({
  method: 'post',
  path: '/outgoing',
  operationId: 'callOthers',
  summary: 'Call someone else',
  security: 'public',
  request: { body: jsonBody(Call) },
  responses: { 200: json('What they said', Said) },
})

const Ask = z
  .strictObject({
    url: z.url(),
    method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).default('GET'),
    key: z.string().optional(),
    as: z.enum(['caller', 'service']).optional(),
    idToken: z.boolean().default(false),
    audience: z.string().optional(),
    authorization: z.string().optional(),
    maxBytes: z.int().optional(),
  })
  .openapi({ example: { url: 'https://example.com/' } })
const Asked = z
  .object({
    status: z.int().optional(),
    said: z.string().optional(),
    error: z.string().optional(),
    code: z.string().optional(),
  })
  .openapi({ example: { status: 200, said: 'Hello' } })

const ask = defineRoute({
  method: 'post',
  path: '/outgoing/ask',
  operationId: 'askOthers',
  summary: 'Call someone else, as someone',
  security: 'optional',
  request: { body: jsonBody(Ask) },
  responses: { 200: json('What they said, or why they did not', Asked) },
})

/** Calls to other services. */
export function outgoing() {
  return [
    handle(callOthers, async (c) => {
      const { url } = c.req.valid('json')
      const response = await tracedFetch(url, { headers: { Accept: 'text/plain' } })
      return c.json({ status: response.status, said: await response.text() }, 200)
    }),

    handle(ask, async (c) => {
      const { url, key, authorization, method, as, audience, maxBytes, idToken } = c.req.valid('json')
      const headers = {
        ...(key && { 'Idempotency-Key': key }),
        ...(authorization && { Authorization: authorization }),
      }
      try {
        const response = await call(url, {
          ...{ method, headers, idToken },
          ...(method === 'POST' && { json: { item: 'Teapot' } }),
          ...(as && { as }),
          ...(audience && { audience }),
          ...(maxBytes && { maxBytes }),
        })
        return c.json({ status: response.status, said: await response.text() }, 200)
      } catch (error) {
        if (c.var.signal.aborted || !(error instanceof Error)) throw error
        const { status, problem } = error instanceof CallError ? error : {}
        const code = problem?.code
        return c.json(
          { error: error.message, ...(status && { status }), ...(code !== undefined && { code }) },
          200,
        )
      }
    }),
  ]
}
