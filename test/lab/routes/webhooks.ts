import { createHmac, timingSafeEqual } from 'node:crypto'
import { basicAuth } from 'hono/basic-auth'
import { etag } from 'hono/etag'
import { secureHeaders } from 'hono/secure-headers'
import { defineRoute, handle, handlePlain, json, Problem, statusProblems, z } from '#runtime'

const secret = 'whsec_lab'
const Linked = z.object({ total: z.int(), _links: z.object({ self: z.object({ href: z.string() }) }) })

/** The signature that a sender puts on the exact bytes of a body. */
export function signatureOf(bytes: Uint8Array): string {
  return createHmac('sha256', secret).update(bytes).digest('hex')
}

const linked = defineRoute({
  method: 'get',
  path: '/linked',
  operationId: 'showLinked',
  summary: 'Show a resource with its links',
  security: 'public',
  responses: { 200: { description: 'It', content: { 'application/hal+json': { schema: Linked } } } },
  middleware: [secureHeaders(), etag()],
})

const guarded = defineRoute({
  method: 'get',
  path: '/guarded',
  operationId: 'showGuarded',
  summary: 'Show what a password guards',
  security: 'public',
  responses: { 200: json('It', z.object({ user: z.string() })) },
  problems: [statusProblems.UNAUTHORIZED],
  middleware: basicAuth({ username: 'ada', password: 'lovelace' }),
})

/** A webhook, whose signature is over the bytes, HAL, and Hono's middleware on routes of the contract. */
export function webhooks() {
  return [
    handlePlain({ method: 'post', path: '/webhooks/payments', security: 'public' }, async (c) => {
      const bytes = new Uint8Array(await c.req.arrayBuffer())
      const [sent, own] = [c.req.header('x-signature') ?? '', signatureOf(bytes)].map((text) =>
        Buffer.from(text),
      )
      if (!sent || !own || sent.length !== own.length || !timingSafeEqual(sent, own))
        throw new Problem(statusProblems.UNAUTHORIZED, { detail: 'The signature is not of these bytes.' })
      return c.json({ event: await c.req.json(), bytes: bytes.length })
    }),
    handle(linked, (c) => c.json({ total: 3, _links: { self: { href: '/linked' } } }, 200)),
    handle(guarded, (c) => c.json({ user: 'ada' }, 200)),
  ]
}
