import { z } from '@hono/zod-openapi'
import { sql } from 'drizzle-orm'
import type { Transaction } from '#src/runtime/database/database.ts'
import type { Feature } from '#src/runtime/feature.ts'
import { problems } from '#src/runtime/kernel/problem.ts'
import { defineRoute, type Handler, handle, json, jsonBody } from '#src/runtime/routes/route.ts'
import { onServer } from './database.ts'
import { featureOf } from './feature.ts'

const Anything = z.looseObject({})

/** A route whose transaction, and `Idempotency-Key`, the runtime looks after. */
export const workRoute = defineRoute({
  method: 'post',
  path: '/work',
  operationId: 'work',
  summary: 'Do the test’s work',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(Anything) },
  problems: [problems.NOT_FOUND, problems.PRECONDITION_FAILED],
  responses: {
    200: json('Done', Anything),
    201: json('Made', Anything),
    202: json('Taken', Anything),
    204: { description: 'Done, and nothing to say' },
    303: { description: 'Elsewhere' },
    404: json('Not there', Anything),
    409: json('Not now', Anything),
    500: json('Broken', Anything),
  },
})

/** What a test does in the transaction of `workRoute`. */
export type Work = (c: Parameters<Handler<typeof workRoute>>[0]) => Promise<Response>

/** A feature of one idempotent route, `POST /work`, that does what `work` says at the time. */
export function workFeature(work: () => Work): Feature {
  return featureOf(handle(workRoute, (c) => work()(c) as never))
}

/** Writes a note with this text in the transaction. */
export async function write(tx: Transaction, text: string): Promise<void> {
  await tx.execute(
    sql`insert into test_notes (id, owner, text, pages) values (gen_random_uuid(), 'work', ${text}, 1)`,
  )
}

/** The texts of the notes that were committed, sorted. */
export async function written(databaseUrl: string): Promise<string[]> {
  const { rows } = await onServer(
    databaseUrl,
    "select text from test_notes where owner = 'work' order by text",
  )
  return rows.map(({ text }) => text)
}

/** The idempotency keys that were committed, sorted. */
export async function storedKeys(databaseUrl: string): Promise<string[]> {
  const { rows } = await onServer(databaseUrl, 'select key from runtime.idempotency_keys order by key')
  return rows.map(({ key }) => key)
}
