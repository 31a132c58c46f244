import { writeSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { gzip } from 'node:zlib'
import { jwtVerify } from 'jose'
import pg from 'pg'
import {
  browserHeaders,
  challengeOf,
  hsts,
  logFields,
  problem,
  requestIdOf,
  severityOf,
  traceOf,
} from '../common/duties.ts'
import { pool as poolOptions, settings } from '../common/settings.ts'
import {
  createTaskCall,
  fromCursor,
  newIds,
  type OrderRow,
  presentOrder,
  statements,
  toCursor,
} from '../common/statements.ts'
import { orderOf, Refusal, readBody } from './body.ts'

// The service with nothing between it and Node: as fast as a person would write it, with the same duties.

const pool = new pg.Pool(poolOptions)
const secret = new TextEncoder().encode(settings.secret)
const agent = new Agent({ keepAlive: true })
const uuid = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i

interface Caller {
  readonly subject: string
  readonly scopes: readonly string[]
  readonly until: number
}

const verified = new Map<string, Caller>()

async function callerOf(authorization: string | undefined, scope: string): Promise<Caller> {
  if (!authorization?.startsWith('Bearer '))
    throw new Refusal('TOKEN_MISSING', 'Send a token: Authorization: Bearer <token>.')
  const token = authorization.slice(7)
  const known = verified.get(token)
  const caller = known && Date.now() < known.until ? known : await verify(token)
  if (!caller.scopes.includes(scope)) throw new Refusal('SCOPE_MISSING', `The token lacks: ${scope}.`)
  return caller
}

async function verify(token: string): Promise<Caller> {
  const { issuer, audience } = settings
  const checks = {
    issuer,
    audience,
    algorithms: ['HS256'],
    requiredClaims: ['exp', 'sub'],
    clockTolerance: 5,
  }
  const { payload } = await jwtVerify(token, secret, checks).catch(() => {
    throw new Refusal('TOKEN_INVALID', 'The token is malformed or not signed by a key of ours.')
  })
  const until = Math.min((payload.exp ?? 0) * 1000, Date.now() + 600_000)
  const caller = { subject: payload.sub ?? '', scopes: String(payload.scope ?? '').split(' '), until }
  if (verified.size >= 10_000) verified.clear()
  verified.set(token, caller)
  return caller
}

interface Reply {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

async function getOrder(id: string, caller: Caller): Promise<Reply> {
  if (!uuid.test(id)) throw new Refusal('VALIDATION_FAILED', 'The path does not fit the contract.')
  const { rows } = await pool.query<OrderRow>({
    name: 'find',
    text: statements.find,
    values: [id, caller.subject],
  })
  const [row] = rows
  if (!row) throw new Refusal('ORDER_NOT_FOUND')
  return { status: 200, body: JSON.stringify(presentOrder(row)), headers: { etag: `"${row.version}"` } }
}

async function listOrders(query: URLSearchParams, caller: Caller): Promise<Reply> {
  const limit = Number(query.get('limit') ?? 20)
  const cursor = query.get('cursor')
  if (!Number.isInteger(limit) || limit < 1 || limit > 100 || (cursor && cursor.length !== 22))
    throw new Refusal('VALIDATION_FAILED', 'The query does not fit the contract.')
  const { rows } = await pool.query<OrderRow>(
    cursor
      ? {
          name: 'list_after',
          text: statements.listAfter,
          values: [caller.subject, limit + 1, fromCursor(cursor)],
        }
      : { name: 'list', text: statements.list, values: [caller.subject, limit + 1] },
  )
  const items = rows.slice(0, limit).map(presentOrder)
  const last = items.at(-1)
  const nextCursor = rows.length > limit && last ? toCursor(last.id) : undefined
  return { status: 200, body: JSON.stringify({ items, nextCursor }) }
}

async function placeOrder(
  incoming: IncomingMessage,
  caller: Caller,
  requestId: string,
  traceId: string,
): Promise<Reply> {
  const { item, quantity } = orderOf(await readBody(incoming))
  const { orderId, taskId } = newIds()
  const client = await pool.connect()
  let row: OrderRow | undefined
  let dueAt = new Date()
  try {
    await client.query('begin')
    const values = [taskId, JSON.stringify({ orderId }), requestId, traceId, caller.subject, 'bench']
    const task = await client.query<{ due_at: Date }>({
      name: 'insert_task',
      text: statements.insertTask,
      values,
    })
    dueAt = task.rows[0]?.due_at ?? dueAt
    const order = [orderId, caller.subject, item, quantity, taskId]
    const { rows } = await client.query<OrderRow>({
      name: 'insert_order',
      text: statements.insertOrder,
      values: order,
    })
    row = rows[0]
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  } finally {
    client.release()
  }
  await createTask(taskId, dueAt)
  await pool.query({ name: 'mark_queued', text: statements.markQueued, values: [taskId] })
  const body = JSON.stringify(presentOrder(row as OrderRow))
  return { status: 201, body, headers: { location: `/orders/${orderId}`, etag: '"1"' } }
}

function createTask(taskId: string, dueAt: Date): Promise<void> {
  const { url, body } = createTaskCall(taskId, dueAt)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`Cloud Tasks: ${response.statusCode}`)),
      )
    })
    call.on('error', reject)
    call.end(body)
  })
}

const server = createServer(async (incoming, outgoing) => {
  const started = performance.now()
  const { method = '', url = '', headers } = incoming
  const [path = '', search = ''] = url.split('?')
  const requestId = requestIdOf(headers['x-request-id'])
  const trace = traceOf(headers.traceparent)
  let subject: string | undefined
  let reply: Reply
  try {
    const caller = await callerOf(headers.authorization, method === 'POST' ? 'orders:write' : 'orders:read')
    subject = caller.subject
    if (method === 'GET' && path.startsWith('/orders/')) reply = await getOrder(path.slice(8), caller)
    else if (method === 'GET' && path === '/orders')
      reply = await listOrders(new URLSearchParams(search), caller)
    else if (method === 'POST' && path === '/orders')
      reply = await placeOrder(incoming, caller, requestId, trace.traceId)
    else throw new Refusal('NOT_FOUND')
  } catch (error) {
    const { code = 'INTERNAL', message, errors } = error instanceof Refusal ? error : {}
    const body = problem(code, path, trace.traceId, message || undefined, errors)
    const challenge = challengeOf(code)
    const more = { 'cache-control': 'no-store', ...(challenge && { 'www-authenticate': challenge }) }
    reply = {
      status: body.status,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/problem+json', ...more },
    }
  }
  send(incoming, outgoing, reply, requestId)
  const { status } = reply
  const message = `${method} ${path} ${status}`
  const ms = performance.now() - started
  const address = incoming.socket.remoteAddress
  const bytes = Buffer.byteLength(reply.body)
  const fields = logFields({ method, path, status, ms, headers, address, bytes, trace, requestId, subject })
  const line = { severity: severityOf(status), time: new Date().toISOString(), message, ...fields }
  writeSync(1, `${JSON.stringify(line)}\n`)
})

function send(incoming: IncomingMessage, outgoing: ServerResponse, reply: Reply, requestId: string): void {
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    ...browserHeaders,
    ...(incoming.headers['x-forwarded-proto'] === 'https' && { 'strict-transport-security': hsts }),
    'x-request-id': requestId,
    ...reply.headers,
  }
  if (reply.body.length < 1024 || !incoming.headers['accept-encoding']?.includes('gzip')) {
    headers['content-length'] = Buffer.byteLength(reply.body)
    outgoing.writeHead(reply.status, headers).end(reply.body)
    return
  }
  gzip(reply.body, (_error, zipped) => {
    headers['content-encoding'] = 'gzip'
    headers.vary = 'Accept-Encoding'
    headers['content-length'] = zipped.length
    outgoing.writeHead(reply.status, headers).end(zipped)
  })
}

server.listen(settings.port)
process.on('SIGTERM', () => process.exit())
