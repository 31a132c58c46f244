import { sql } from 'drizzle-orm'
import { type CallerMiddleware, type Database, now, Problem, statusProblems } from '#runtime'

/** One row for each caller: when all of its requests are free again. */
export const createCallers =
  'create unlogged table callers (subject text primary key, free_at timestamptz not null)'

/**
 * Lets each caller send `most` requests at once, and one more after each `seconds`. The database counts, so that all
 * instances count together. The limit is a leaky bucket: each request adds its `seconds` to the row.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function rateLimit(database: Database, most: number, seconds: number): CallerMiddleware {
  const policy = `"caller";q=${most};w=${most * seconds}`
  const each = sql`make_interval(secs => ${seconds})`
  return {
    problems: [statusProblems.TOO_MANY_REQUESTS],
    async run(c, next) {
      const { rows } = await database.execute<{ left: number }>(sql`
        insert into callers (subject, free_at) values (${c.var.caller?.subject ?? 'nobody'}, ${now} + ${each})
        on conflict (subject) do update set free_at = greatest(callers.free_at, ${now}) + ${each}
          where callers.free_at <= ${now} + ${most - 1} * ${each}
        returning ${most} - ceil(extract(epoch from free_at - ${now}) / ${seconds})::int as left`)
      const headers = { 'RateLimit-Policy': policy, RateLimit: `"caller";r=${rows[0]?.left ?? 0}` }
      if (!rows[0])
        throw new Problem(statusProblems.TOO_MANY_REQUESTS, {
          detail: `Send ${most} requests in ${most * seconds} s at most.`,
          headers: { ...headers, 'Retry-After': String(seconds) },
        })
      for (const [name, value] of Object.entries(headers)) c.header(name, value)
      await next()
    },
  }
}
