import { createServer } from 'node:http'
import { jwtVerify } from 'jose'
import pg from 'pg'
import { pool as poolOptions, settings } from '../common/settings.ts'
import { type OrderRow, presentOrder, statements } from '../common/statements.ts'

// The least that can give the response: no log, no request id, no headers, no problems. What a start costs at the least.

const pool = new pg.Pool(poolOptions)
const secret = new TextEncoder().encode(settings.secret)
const { issuer, audience } = settings
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

const server = createServer(async (incoming, outgoing) => {
  const id = incoming.url?.slice(8) ?? ''
  try {
    const token = incoming.headers.authorization?.slice(7) ?? ''
    const { payload } = await jwtVerify(token, secret, { issuer, audience, algorithms: ['HS256'] })
    if (!uuid.test(id)) throw new Error('not an id')
    const { rows } = await pool.query<OrderRow>(statements.find, [id, payload.sub])
    const [row] = rows
    if (!row) throw new Error('no such order')
    const headers = { 'content-type': 'application/json', etag: `"${row.version}"` }
    outgoing.writeHead(200, headers).end(JSON.stringify(presentOrder(row)))
  } catch {
    outgoing.writeHead(400).end()
  }
})

server.listen(settings.port)
process.on('SIGTERM', () => process.exit())
