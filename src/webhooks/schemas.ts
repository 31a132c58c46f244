import { cursorParameter, z } from '#runtime'
import { eventPattern, maxPatternLength } from './events.ts'
import { type DeliveryRow, deliveryStatuses, disabledReasons, type WebhookRow } from './table.ts'

const url = z
  .string()
  .max(2000)
  .regex(/^https?:\/\/[!-~]+$/, 'must be a URL that starts with https://')
  .openapi({
    description: 'An https URL whose host has public addresses only. Its port is 443, or 1024 and above.',
  })

const events = z
  .array(z.string().max(maxPatternLength).regex(eventPattern))
  .min(1)
  .max(50)
  .openapi({ description: 'Names of events, groups such as `order.*`, or `*` for all' })

/** The body of a request that creates a webhook. */
export const NewWebhook = z
  .strictObject({ url, events })
  .openapi('NewWebhook', { example: { url: 'https://shop.example.com/hooks', events: ['order.*'] } })

/** The body of a request that changes one. What is absent stays as it is. */
export const WebhookChange = z
  .strictObject({ url: url.optional(), events: events.optional(), enabled: z.boolean().optional() })
  .openapi('WebhookChange', { example: { enabled: true } })

const webhook = z.object({
  id: z.uuid(),
  url: z.string(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  disabledAt: z.iso.datetime().optional(),
  disabledReason: z.enum(disabledReasons).optional().openapi({
    description:
      '`owner`: you disabled it. `gone`: the receiver responded with 410. `failing`: nothing was delivered for five days',
  }),
  failingSince: z.iso
    .datetime()
    .optional()
    .openapi({ description: 'The first failure since the last success; absent if there is none' }),
  createdAt: z.iso.datetime(),
})

const example = {
  id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
  url: 'https://shop.example.com/hooks',
  events: ['order.*'],
  enabled: true,
  createdAt: '2026-11-22T09:30:00.000Z',
}

/** A webhook as its owner sees it. */
export const Webhook = webhook.openapi('Webhook', { example })

/** A webhook with its new secret, which no other response shows. */
export const WebhookWithSecret = z
  .object({
    ...webhook.shape,
    secret: z.string().openapi({ description: 'Verifies signatures. It is shown only here: store it' }),
  })
  .openapi('WebhookWithSecret', {
    example: { ...example, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=' },
  })

const nextCursor = z.string().optional().openapi({ description: 'Absent on the last page' })

/** A page of webhooks, newest first. */
export const WebhookPage = z
  .object({ items: z.array(Webhook), nextCursor })
  .openapi('WebhookPage', { example: { items: [example] } })

/** A delivery as the owner of its webhook sees it. */
export const WebhookDelivery = z
  .object({
    id: z.uuid(),
    eventId: z.uuid().openapi({ description: 'The `webhook-id` of all attempts' }),
    type: z.string(),
    status: z.enum(deliveryStatuses),
    attempts: z.int().openapi({ description: 'Since the event, or since you asked to send it again' }),
    lastStatus: z.int().optional().openapi({ description: 'The status of the last response' }),
    lastError: z.string().optional().openapi({ description: 'Why there was none, or why it was not sent' }),
    durationMs: z.int().optional().openapi({ description: 'How long the last attempt took' }),
    attemptedAt: z.iso.datetime().optional(),
    nextAttemptAt: z.iso.datetime().optional().openapi({ description: 'Absent if it is not sent again' }),
    createdAt: z.iso.datetime(),
  })
  .openapi('WebhookDelivery', {
    example: {
      id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e60',
      eventId: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e61',
      type: 'order.placed',
      status: 'pending',
      attempts: 1,
      lastStatus: 503,
      durationMs: 120,
      attemptedAt: '2026-11-22T09:30:01.000Z',
      nextAttemptAt: '2026-11-22T09:30:06.000Z',
      createdAt: '2026-11-22T09:30:00.000Z',
    },
  })

/** A page of deliveries, newest first. */
export const WebhookDeliveryPage = z
  .object({ items: z.array(WebhookDelivery), nextCursor })
  .openapi('WebhookDeliveryPage', { example: { items: [] } })

const page = { limit: z.int().min(1).max(100).default(20), cursor: cursorParameter().optional() }

/** The query of the list of webhooks. */
export const WebhookQuery = z.strictObject(page)

/** The query of the list of deliveries. */
export const WebhookDeliveryQuery = z.strictObject({ ...page, status: z.enum(deliveryStatuses).optional() })

/** The path of one webhook. */
export const WebhookParams = z.object({ id: z.uuid().openapi({ example: example.id }) })

/** The path of one delivery. */
export const WebhookDeliveryParams = z.object({ ...WebhookParams.shape, deliveryId: z.uuid() })

/** A row as the contract shows it. */
export function presentWebhook(row: WebhookRow): z.infer<typeof Webhook> {
  const { id, url, events, disabledAt, disabledReason, failingSince, createdAt } = row
  return {
    ...{ id, url, events, enabled: disabledAt === null, createdAt: createdAt.toISOString() },
    ...(disabledAt && { disabledAt: disabledAt.toISOString() }),
    ...(disabledReason && { disabledReason }),
    ...(failingSince && { failingSince: failingSince.toISOString() }),
  }
}

/** A row as the contract shows it. What was sent is not shown: it may be long. */
export function presentDelivery(row: DeliveryRow): z.infer<typeof WebhookDelivery> {
  const { id, eventId, type, status, attempts, lastStatus, lastError, durationMs } = row
  const { attemptedAt, nextAttemptAt, createdAt } = row
  return {
    ...{ id, eventId, type, status, attempts, createdAt: createdAt.toISOString() },
    ...(lastStatus !== null && { lastStatus }),
    ...(lastError !== null && { lastError }),
    ...(durationMs !== null && { durationMs }),
    ...(attemptedAt && { attemptedAt: attemptedAt.toISOString() }),
    ...(nextAttemptAt && { nextAttemptAt: nextAttemptAt.toISOString() }),
  }
}
