import { Hono } from 'hono'
import { serve } from '../machine/serve.ts'
import type { RecentLines } from '../service/recent-lines.ts'

/**
 * Serves the log lines of a trace on this machine, as Cloud Logging does in production.
 *
 * @returns the variable by which the service's dashboard finds it
 */
export async function serveTraceLines(lines: RecentLines) {
  const app = new Hono()
  app.get('/lines/:trace{[0-9a-f]{32}}', (c) =>
    c.text(lines.describe(c.req.param('trace')), 200, { 'X-Content-Type-Options': 'nosniff' }),
  )
  const { url, close } = await serve(app)
  return { environment: { TRACE_LOGS_URL: `${url}/lines/{trace}` }, stop: close }
}
