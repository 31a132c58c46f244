import { z } from '@hono/zod-openapi'
import { defineFeature } from '#src/runtime/feature.ts'
import { defineProblems } from '#src/runtime/kernel/problem.ts'
import type { handle } from '#src/runtime/routes/route.ts'
import { noDatabase } from './feature.ts'
import { testService } from './service.ts'

/** The problems of a feature with one thing. */
export const thingProblems = defineProblems({
  THING_GONE: { status: 410, title: 'The thing is gone' },
  THING_TAKEN: { status: 409, title: 'The thing is taken' },
})

/** The thing. */
export const Thing = z.object({ name: z.string() })

/** What a route that shows the thing states, but for its responses. */
export const showThing = {
  method: 'get',
  path: '/thing',
  operationId: 'getThing',
  summary: 'Show',
  security: 'public',
} as const

/** A service with this operation alone. */
export function serveThing(mode: 'strip' | 'fail', operation: ReturnType<typeof handle>) {
  const routes = () => [operation]
  const feature = defineFeature({ name: 'x', description: 'X.', problems: thingProblems, routes })
  return testService({ databaseUrl: noDatabase, features: [feature], environment: { REPLY_CHECK: mode } })
}

/** The messages, and the stacks, of this severity. */
export function logged(lines: readonly Record<string, unknown>[], severity: string): string {
  return lines
    .filter((line) => line.severity === severity)
    .map((line) => `${line.message} ${line.stack_trace ?? ''}`)
    .join('\n')
}
