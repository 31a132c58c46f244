import { defineRoute, json, jsonBody } from '#runtime'
import { webhookProblems } from './problems.ts'
import {
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookDelivery,
  WebhookDeliveryPage,
  WebhookDeliveryParams,
  WebhookDeliveryQuery,
  WebhookPage,
  WebhookParams,
  WebhookQuery,
  WebhookWithSecret,
} from './schemas.ts'

const { WEBHOOK_NOT_FOUND, WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_DISABLED } = webhookProblems
const { WEBHOOK_LIMIT_REACHED, WEBHOOK_URL_REFUSED } = webhookProblems

/** Responses that show a secret are in no cache. */
const uncached = { 'Cache-Control': '`no-store`' }

export const createWebhook = defineRoute({
  method: 'post',
  path: '/webhooks',
  operationId: 'createWebhook',
  summary: 'Have events sent to a URL',
  description:
    'Each event is a POST, signed as [Standard Webhooks](https://www.standardwebhooks.com) says. Its body is ' +
    '`{ "type", "timestamp", "data" }`. It is sent at least once: the header `webhook-id` stays the same when it is sent again. ' +
    'A response of 2xx accepts it. After any other it is sent again for a day; 410 disables the webhook.',
  security: ['webhooks:write'],
  request: { body: jsonBody(NewWebhook) },
  responses: {
    201: json('The webhook and its secret', WebhookWithSecret, {
      Location: 'The URL of the webhook',
      ...uncached,
    }),
  },
  problems: [WEBHOOK_URL_REFUSED, WEBHOOK_LIMIT_REACHED],
})

export const listWebhooks = defineRoute({
  method: 'get',
  path: '/webhooks',
  operationId: 'listWebhooks',
  summary: 'List your webhooks, newest first',
  security: ['webhooks:read'],
  request: { query: WebhookQuery },
  responses: { 200: json('A page of webhooks', WebhookPage) },
})

export const getWebhook = defineRoute({
  method: 'get',
  path: '/webhooks/{id}',
  operationId: 'getWebhook',
  summary: 'Show a webhook',
  security: ['webhooks:read'],
  request: { params: WebhookParams },
  responses: { 200: json('The webhook', Webhook) },
  problems: [WEBHOOK_NOT_FOUND],
})

export const changeWebhook = defineRoute({
  method: 'patch',
  path: '/webhooks/{id}',
  operationId: 'changeWebhook',
  summary: 'Change, disable or enable a webhook',
  description: 'Events that happen while it is disabled are not sent later.',
  security: ['webhooks:write'],
  request: { params: WebhookParams, body: jsonBody(WebhookChange) },
  responses: { 200: json('The webhook as it is now', Webhook) },
  problems: [WEBHOOK_NOT_FOUND, WEBHOOK_URL_REFUSED],
})

export const deleteWebhook = defineRoute({
  method: 'delete',
  path: '/webhooks/{id}',
  operationId: 'deleteWebhook',
  summary: 'Delete a webhook, its secrets and its deliveries',
  security: ['webhooks:write'],
  request: { params: WebhookParams },
  responses: { 204: { description: 'It is deleted' } },
  problems: [WEBHOOK_NOT_FOUND],
})

export const rotateSecret = defineRoute({
  method: 'post',
  path: '/webhooks/{id}/rotate-secret',
  operationId: 'rotateWebhookSecret',
  summary: 'Give a webhook a new secret',
  description: 'For 24 hours both sign: `webhook-signature` has two signatures, separated by a space.',
  security: ['webhooks:write'],
  request: { params: WebhookParams },
  responses: { 200: json('The webhook and its new secret', WebhookWithSecret, uncached) },
  problems: [WEBHOOK_NOT_FOUND],
})

export const testWebhook = defineRoute({
  method: 'post',
  path: '/webhooks/{id}/test',
  operationId: 'testWebhook',
  summary: 'Send the event webhook.test, whatever events the webhook asks for',
  security: ['webhooks:write'],
  idempotent: true,
  request: { params: WebhookParams },
  responses: { 202: json('The delivery, which will be sent', WebhookDelivery) },
  problems: [WEBHOOK_NOT_FOUND, WEBHOOK_DISABLED],
})

export const listDeliveries = defineRoute({
  method: 'get',
  path: '/webhooks/{id}/deliveries',
  operationId: 'listWebhookDeliveries',
  summary: 'List what was sent to a webhook, newest first',
  security: ['webhooks:read'],
  request: { params: WebhookParams, query: WebhookDeliveryQuery },
  responses: { 200: json('A page of deliveries', WebhookDeliveryPage) },
  problems: [WEBHOOK_NOT_FOUND],
})

export const redeliver = defineRoute({
  method: 'post',
  path: '/webhooks/{id}/deliveries/{deliveryId}/redeliver',
  operationId: 'redeliverWebhook',
  summary: 'Send a delivery again, with the same webhook-id',
  description:
    'A delivery that waits for its next attempt is sent now. One that is about to be sent stays as it is.',
  security: ['webhooks:write'],
  request: { params: WebhookDeliveryParams },
  responses: { 202: json('The delivery, which will be sent', WebhookDelivery) },
  problems: [WEBHOOK_NOT_FOUND, WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_DISABLED],
})
