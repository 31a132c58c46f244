import { defineProblems } from '#runtime'

/** The problems of webhooks, beside those that any request may have. */
export const webhookProblems = defineProblems({
  WEBHOOK_NOT_FOUND: { status: 404, title: 'There is no such webhook' },
  WEBHOOK_DELIVERY_NOT_FOUND: { status: 404, title: 'There is no such delivery' },
  WEBHOOK_DISABLED: { status: 409, title: 'The webhook is disabled' },
  WEBHOOK_LIMIT_REACHED: { status: 409, title: 'There are too many webhooks' },
  WEBHOOK_URL_REFUSED: { status: 422, title: 'Nothing is sent to this URL' },
})
