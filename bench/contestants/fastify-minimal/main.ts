import jwt from '@fastify/jwt'
import fastify from 'fastify'
import pg from 'pg'
import { pool as poolOptions, settings } from '../common/settings.ts'
import { type OrderRow, presentOrder, statements } from '../common/statements.ts'
import { orderSchema } from '../fastify/schemas.ts'

// Fastify without a log, request ids, security headers and problems: the token, the check of the path, the row.

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: { sub: string; scope: string }
  }
}

const pool = new pg.Pool(poolOptions)
const app = fastify({ keepAliveTimeout: 620_000 })
app.register(jwt, {
  secret: settings.secret,
  verify: {
    ...{ allowedIss: settings.issuer, allowedAud: settings.audience, algorithms: ['HS256'], cache: 10_000 },
    cacheKeyBuilder: (token: string) => token,
  } as object,
})

app.register(async (app) => {
  const params = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } }, required: ['id'] }

  app.get<{ Params: { id: string } }>(
    '/orders/:id',
    { onRequest: (request) => request.jwtVerify(), schema: { params, response: { 200: orderSchema } } },
    async (request, reply) => {
      const values = [request.params.id, request.user.sub]
      const { rows } = await pool.query<OrderRow>({ name: 'find', text: statements.find, values })
      const [row] = rows
      if (!row) return reply.code(404).send()
      reply.header('etag', `"${row.version}"`)
      return presentOrder(row)
    },
  )
})

void app.listen({ port: settings.port, host: '::' })
process.on('SIGTERM', () => process.exit())
