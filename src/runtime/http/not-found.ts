import type { Hono, NotFoundHandler } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { ProblemAnswer } from './answer-problem.ts'
import type { BaseEnv } from './env.ts'
import { Problem, problems } from './problem.ts'

/**
 * Answers what no route takes: 404 for an unknown path; 405 with `Allow` for a known one with another method,
 * where OPTIONS gets the list as a 204.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
 */
export function notFound(app: Hono<BaseEnv>, answer: ProblemAnswer): NotFoundHandler<BaseEnv> {
  const checkMethod = methodNotAllowed<BaseEnv>({
    app,
    onMethodNotAllowed(c, allowed) {
      const Allow = [...new Set([...allowed, 'OPTIONS'])].join(', ')
      if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { Allow } })
      const detail = `${c.req.path} takes ${Allow}.`
      return answer(new Problem(problems.METHOD_NOT_ALLOWED, { detail, headers: { Allow } }), c)
    },
  })
  return async function notFound(c) {
    const detail = `There is no route ${c.req.path}.`
    await checkMethod(c, async () => {
      c.res = answer(new Problem(problems.NOT_FOUND, { detail }), c)
    })
    return c.res
  }
}
