import type { z } from '@hono/zod-openapi'
import { defineRoute, json } from '#src/runtime/routes/route.ts'
import type { Json } from './expect.ts'

/** The fields of a form, in order. */
export type Pairs = [name: string, value: string | Blob][]

/**
 * A route, `POST /all`, that takes this body in three types: JSON and both kinds of form.
 *
 * @param bodyLimit bytes
 */
export function allTypesRoute<Body extends z.ZodType, Answer extends z.ZodType>(
  schema: Body,
  response: Answer,
  bodyLimit = 1000,
) {
  return defineRoute({
    method: 'post',
    path: '/all',
    operationId: 'all',
    summary: 'Take a body',
    security: 'public',
    bodyLimit,
    request: {
      body: {
        required: true,
        content: {
          'application/json': { schema },
          'application/x-www-form-urlencoded': { schema },
          'multipart/form-data': { schema },
        },
      },
    },
    responses: { 200: json('What came', response) },
  })
}

/** A form of parts with these fields. */
export function formData(pairs: Pairs): FormData {
  const form = new FormData()
  for (const [name, value] of pairs) form.append(name, value)
  return form
}

/** The places that a problem points to, sorted. */
export function pointers(problem: Json): string[] {
  return (problem.errors as { pointer: string }[]).map(({ pointer }) => pointer).sort()
}
