import { randomUUIDv7 } from 'node:crypto'
import { serve } from '@hono/node-server'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { and, desc, eq, lt } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, jsonb, pgSchema, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { compress } from 'hono/compress'
import { type JwtVariables, jwt } from 'hono/jwt'
import { logger } from 'hono/logger'
import { type RequestIdVariables, requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { pool as poolOptions, settings } from '../common/settings.ts'
import { createTaskCall, fromCursor, toCursor } from '../common/statements.ts'

// Hono, zod-openapi and drizzle as their pages show them: the middleware of Hono for each duty, queries built in each request.

const orders = pgTable('orders', {
  id: uuid('id').primaryKey(),
  owner: text('owner').notNull(),
  item: text('item').notNull(),
  quantity: integer('quantity').notNull(),
  status: text('status', { enum: ['placed', 'fulfilled', 'cancelled'] })
    .notNull()
    .default('placed'),
  taskId: uuid('task_id'),
  version: integer('version').notNull().default(1),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
})
const tasks = pgSchema('runtime').table('tasks', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  state: text('state').notNull().default('pending'),
  payload: jsonb('payload').notNull(),
  dueAt: timestamp('due_at', { withTimezone: true, precision: 3 }).notNull(),
  requestId: text('request_id'),
  subject: text('subject'),
})

const db = drizzle({ connection: poolOptions })

const Order = z
  .object({
    id: z.uuid(),
    item: z.string(),
    quantity: z.int(),
    status: z.enum(['placed', 'fulfilled', 'cancelled']),
    createdAt: z.iso.datetime(),
  })
  .openapi('Order')
const NewOrder = z
  .strictObject({ item: z.string().min(1).max(100), quantity: z.int().min(1).max(1000) })
  .openapi('NewOrder')

function present(row: typeof orders.$inferSelect): z.infer<typeof Order> {
  const { id, item, quantity, status, createdAt } = row
  return { id, item, quantity, status, createdAt: createdAt.toISOString() }
}

type Env = { Variables: JwtVariables<{ sub: string }> & RequestIdVariables }
const app = new OpenAPIHono<Env>({
  defaultHook: (result, c) =>
    result.success ? undefined : c.json({ code: 'VALIDATION_FAILED', errors: result.error.issues }, 400),
})
app.use(requestId())
app.use(logger())
app.use(secureHeaders())
app.use(compress())
app.use(
  '/orders/*',
  jwt({
    secret: settings.secret,
    alg: 'HS256',
    verification: { iss: settings.issuer, aud: settings.audience },
  }),
)

const json = (schema: z.ZodType) => ({
  content: { 'application/json': { schema } },
  description: 'The order',
})
const status = { 400: json(z.object({ code: z.string() })), 404: json(z.object({ code: z.string() })) }

const getOrder = createRoute({
  method: 'get',
  path: '/orders/{id}',
  request: { params: z.object({ id: z.uuid() }) },
  responses: { 200: json(Order), ...status },
})
app.openapi(getOrder, async (c) => {
  const { id } = c.req.valid('param')
  const [row] = await db
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), eq(orders.owner, c.get('jwtPayload').sub)))
  if (!row) return c.json({ code: 'ORDER_NOT_FOUND' }, 404)
  return c.json(present(row), 200, { etag: `"${row.version}"` })
})

const listOrders = createRoute({
  method: 'get',
  path: '/orders',
  request: {
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z.string().length(22).optional(),
    }),
  },
  responses: { 200: json(z.object({ items: z.array(Order), nextCursor: z.string().optional() })), ...status },
})
app.openapi(listOrders, async (c) => {
  const { limit, cursor } = c.req.valid('query')
  const mine = eq(orders.owner, c.get('jwtPayload').sub)
  const rows = await db
    .select()
    .from(orders)
    .where(cursor ? and(mine, lt(orders.id, fromCursor(cursor))) : mine)
    .orderBy(desc(orders.id))
    .limit(limit + 1)
  const items = rows.slice(0, limit).map(present)
  const last = items.at(-1)
  return c.json({ items, ...(rows.length > limit && last && { nextCursor: toCursor(last.id) }) }, 200)
})

const placeOrder = createRoute({
  method: 'post',
  path: '/orders',
  request: { body: { content: { 'application/json': { schema: NewOrder } }, required: true } },
  responses: { 201: json(Order), ...status },
})
app.openapi(placeOrder, async (c) => {
  const { sub: owner } = c.get('jwtPayload')
  const dueAt = new Date(Date.now() + 5_000)
  const taskId = randomUUIDv7()
  const row = await db.transaction(async (tx) => {
    const id = randomUUIDv7()
    const task = {
      id: taskId,
      name: 'orders.fulfil',
      payload: { orderId: id },
      dueAt,
      requestId: c.get('requestId'),
      subject: owner,
    }
    await tx.insert(tasks).values(task)
    const [order] = await tx
      .insert(orders)
      .values({ id, owner, taskId, ...c.req.valid('json') })
      .returning()
    return order as typeof orders.$inferSelect
  })
  const { url, body } = createTaskCall(taskId, dueAt)
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`Cloud Tasks: ${response.status}`)
  await db
    .update(tasks)
    .set({ state: 'queued' })
    .where(and(eq(tasks.id, taskId), eq(tasks.state, 'pending')))
  return c.json(present(row), 201, { location: `/orders/${row.id}`, etag: '"1"' })
})

serve({ fetch: app.fetch, port: settings.port })
process.on('SIGTERM', () => process.exit())
