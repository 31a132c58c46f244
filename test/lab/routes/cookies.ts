import { setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { defineRoute, handle, json, Problem, statusProblems, z } from '#runtime'

const both = ['a=1; Path=/', 'b=2; Path=/']
const kinds = ['set', 'listed', 'init', 'problem', 'exception', 'dropped'] as const

const cookies = defineRoute({
  method: 'get',
  path: '/two-cookies/{kind}',
  operationId: 'setTwoCookies',
  summary: 'Set two cookies',
  security: 'public',
  request: { params: z.object({ kind: z.enum(kinds) }) },
  responses: { 200: json('Set', z.object({ done: z.boolean() })) },
  problems: [statusProblems.GONE, statusProblems.CONFLICT],
})
const around = defineRoute({
  ...cookies,
  path: '/cookies-around/{kind}',
  operationId: 'setCookiesAround',
  async middleware(c, next) {
    setCookie(c, 'a', '1')
    await next()
    setCookie(c, 'b', '2')
  },
})

/** Two cookies, on every kind of response. */
export function cookieRoutes() {
  return [
    handle(cookies, (c) => {
      const { kind } = c.req.valid('param')
      if (kind === 'set' || kind === 'dropped')
        for (const name of ['a', 'b']) setCookie(c, name, name === 'a' ? '1' : '2')
      if (kind === 'dropped') throw new Problem(statusProblems.GONE)
      if (kind === 'problem') throw new Problem(statusProblems.GONE, { headers: { 'Set-Cookie': both } })
      const headers = new Headers(both.map((cookie): [string, string] => ['Set-Cookie', cookie]))
      if (kind === 'exception') throw new HTTPException(409, { res: new Response(null, { headers }) })
      if (kind === 'listed') return c.json({ done: true }, 200, { 'Set-Cookie': both })
      return c.json({ done: true }, kind === 'init' ? { status: 200, headers } : { status: 200 })
    }),
    handle(around, (c) => c.json({ done: true }, 200)),
  ]
}
