import { defineFeature, handlePlain, type z } from '#runtime'
import { publish } from '#src/webhooks/publish.ts'
import type { Webhook, WebhookDelivery, WebhookWithSecret } from '#src/webhooks/schemas.ts'
import { webhooks } from '#src/webhooks/webhooks.ts'
import { type Api, expectJson, onServer, type TaskService, taskService } from '#test/kit'

export type Hook = z.infer<typeof Webhook>
export type Delivery = z.infer<typeof WebhookDelivery>
export type HookWithSecret = z.infer<typeof WebhookWithSecret>

export const scopes = ['webhooks:read', 'webhooks:write']

/** A feature whose route publishes an event of its caller: what is in the body, with its `type`. */
const publisher = defineFeature({
  name: 'publisher',
  description: 'Events of a test.',
  routes: ({ database }) => [
    handlePlain({ method: 'post', path: '/events', security: 'authenticated' }, async (c) => {
      const { type, fail, ...data } = await c.req.json<{ type: string; fail?: boolean }>()
      const { subject: owner } = c.var.caller
      await database.transaction(async (tx) => {
        await publish(tx, { type, owner, data })
        if (fail) tx.rollback()
      })
      return c.body(null, 204)
    }),
  ],
})

/** A service with webhooks, and what a test does with them as one caller. */
export interface Trial extends TaskService {
  readonly alice: Api
  /** Has events sent to a URL. */
  subscribe(url: string, events?: string[], api?: Api): Promise<HookWithSecret>
  /** Publishes an event. */
  publish(type: string, data?: object, api?: Api): Promise<void>
  read(id: string): Promise<Hook>
  change(id: string, change: object): Promise<Hook>
  deliveries(id: string): Promise<Delivery[]>
  /** Asks to send a delivery again. */
  redeliver(id: string, delivery: Delivery | undefined): Promise<Response>
  /** The states of the tasks that send, the oldest first. */
  states(): Promise<unknown[]>
  /** Takes all webhooks and tasks away, for the next test. */
  clear(): Promise<void>
  query(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>
}

/** Makes one whose webhooks may go to this machine. */
export async function trial(environment: Record<string, string> = {}): Promise<Trial> {
  const service = await taskService({
    features: [webhooks, publisher],
    environment: { WEBHOOKS_PRIVATE_HOSTS: '127.0.0.1', ...environment },
  })
  const alice = await service.as('alice', scopes)
  const query: Trial['query'] = async (statement, values) =>
    (await onServer(service.databaseUrl, statement, values)).rows
  return {
    ...{ ...service, alice, query },
    subscribe: async (url, events = ['*'], api = alice) =>
      expectJson<HookWithSecret>(await api('/webhooks', { json: { url, events } }), 201),
    async publish(type, data = {}, api = alice) {
      const response = await api('/events', { json: { type, ...data } })
      if (response.status !== 204) throw new Error(await response.text())
    },
    read: async (id) => expectJson<Hook>(await alice(`/webhooks/${id}`)),
    change: async (id, change) =>
      expectJson<Hook>(await alice(`/webhooks/${id}`, { method: 'PATCH', json: change })),
    async deliveries(id) {
      const page = await expectJson<{ items: Delivery[] }>(
        await alice(`/webhooks/${id}/deliveries?limit=100`),
      )
      return page.items
    },
    redeliver: (id, delivery) =>
      alice(`/webhooks/${id}/deliveries/${delivery?.id}/redeliver`, { method: 'POST' }),
    async states() {
      const rows = await query("select state from runtime.tasks where name = 'webhooks.deliver' order by id")
      return rows.map(({ state }) => state)
    },
    async clear() {
      await query('delete from webhooks')
      await query('delete from runtime.tasks')
    },
  }
}
