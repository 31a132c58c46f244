import { defineFeature, enqueue, handle, location, Problem, pageOf } from '#runtime'
import { listDeliveries, startAgain } from './deliveries.ts'
import { webhookProblems } from './problems.ts'
import { insertDeliveries } from './publish.ts'
import * as routes from './routes.ts'
import { presentDelivery, presentWebhook } from './schemas.ts'
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  lockWebhook,
  rotateSecret,
  updateWebhook,
} from './store.ts'
import { deliver, prune, pruneNightly } from './tasks.ts'
import { webhookVariables } from './variables.ts'

/** Responses that show a secret are in no cache. */
const uncached = { 'Cache-Control': 'no-store' }

/** Sends events of other features, which call `publish`, to URLs of the callers. */
export const webhooks = defineFeature({
  name: 'webhooks',
  description: 'Events, sent to your URLs as they happen. Callers see only their own webhooks.',
  problems: webhookProblems,
  variables: webhookVariables,
  tasks: [deliver, prune],
  schedules: [pruneNightly],
  routes: ({ database, config }) => [
    handle(routes.createWebhook, async (c) => {
      const { url, events } = c.req.valid('json')
      await checkUrl(url, config.WEBHOOKS_PRIVATE_HOSTS)
      const owner = c.var.caller.subject
      const { row, secret } = await database.transaction((tx) => insertWebhook(tx, { owner, url, events }))
      return c.json({ ...presentWebhook(row), secret }, 201, { Location: location(c, row.id), ...uncached })
    }),

    handle(routes.listWebhooks, async (c) => {
      const { limit, cursor } = c.req.valid('query')
      const rows = await listWebhooks(database, c.var.caller.subject, { cursor, limit: limit + 1 })
      return c.json(pageOf(rows, limit, presentWebhook), 200)
    }),

    handle(routes.getWebhook, async (c) => {
      const row = await findWebhook(database, c.var.caller.subject, c.req.valid('param').id)
      return c.json(presentWebhook(row), 200)
    }),

    handle(routes.changeWebhook, async (c) => {
      const change = c.req.valid('json')
      if (change.url !== undefined) await checkUrl(change.url, config.WEBHOOKS_PRIVATE_HOSTS)
      const row = await database.transaction(async (tx) => {
        const before = await lockWebhook(tx, c.var.caller.subject, c.req.valid('param').id)
        return updateWebhook(tx, before, change)
      })
      return c.json(presentWebhook(row), 200)
    }),

    handle(routes.deleteWebhook, async (c) => {
      await deleteWebhook(database, c.var.caller.subject, c.req.valid('param').id)
      return c.body(null, 204)
    }),

    handle(routes.rotateSecret, async (c) => {
      const rotated = await database.transaction(async (tx) => {
        const row = await lockWebhook(tx, c.var.caller.subject, c.req.valid('param').id)
        return { ...presentWebhook(row), secret: await rotateSecret(tx, row.id) }
      })
      return c.json(rotated, 200, uncached)
    }),

    handle(routes.testWebhook, async (c) => {
      const { tx, caller } = c.var
      const { id, disabledAt } = await lockWebhook(tx, caller.subject, c.req.valid('param').id)
      if (disabledAt) throw disabled()
      const [row] = await insertDeliveries(tx, [id], { type: 'webhook.test', data: {} })
      if (!row) throw new Error('The delivery was not inserted')
      return c.json(presentDelivery(row), 202)
    }),

    handle(routes.listDeliveries, async (c) => {
      const { limit, ...page } = c.req.valid('query')
      const { id } = await findWebhook(database, c.var.caller.subject, c.req.valid('param').id)
      const rows = await listDeliveries(database, id, { ...page, limit: limit + 1 })
      return c.json(pageOf(rows, limit, presentDelivery), 200)
    }),

    handle(routes.redeliver, async (c) => {
      const { id, deliveryId } = c.req.valid('param')
      const row = await database.transaction(async (tx) => {
        const webhook = await lockWebhook(tx, c.var.caller.subject, id)
        if (webhook.disabledAt) throw disabled()
        const { row, isNew } = await startAgain(tx, id, deliveryId)
        if (isNew) await enqueue(tx, deliver, { deliveryId, turn: row.turn })
        return row
      })
      return c.json(presentDelivery(row), 202)
    }),
  ],
})

/** @throws {Problem} WEBHOOK_URL_REFUSED, with the reason */
async function checkUrl(url: string, privateHosts: readonly string[]): Promise<void> {
  const { refusalOf } = await import('./target.ts')
  const detail = refusalOf(URL.parse(url), privateHosts)
  if (detail) throw new Problem(webhookProblems.WEBHOOK_URL_REFUSED, { detail })
}

function disabled(): Problem {
  return new Problem(webhookProblems.WEBHOOK_DISABLED, {
    detail: 'Enable it first: PATCH { "enabled": true }.',
  })
}
