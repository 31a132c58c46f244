import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { jwtVerify } from 'jose'
import pg from 'pg'
import { pool as poolOptions, settings } from '../common/settings.ts'
import { type OrderRow, presentOrder, statements } from '../common/statements.ts'

// The same as bare node:http, with Hono and its server for Node.

const pool = new pg.Pool(poolOptions)
const secret = new TextEncoder().encode(settings.secret)
const { issuer, audience } = settings
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

const app = new Hono()

app.get('/orders/:id', async (c) => {
  const id = c.req.param('id')
  const token = c.req.header('authorization')?.slice(7) ?? ''
  const { payload } = await jwtVerify(token, secret, { issuer, audience, algorithms: ['HS256'] })
  if (!uuid.test(id)) return c.body(null, 400)
  const { rows } = await pool.query<OrderRow>(statements.find, [id, payload.sub])
  const [row] = rows
  return row ? c.json(presentOrder(row), 200, { etag: `"${row.version}"` }) : c.body(null, 404)
})

app.onError((_error, c) => c.body(null, 400))

serve({ fetch: app.fetch, port: settings.port })
process.on('SIGTERM', () => process.exit())
