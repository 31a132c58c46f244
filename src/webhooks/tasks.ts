import { defineSchedule, defineTask, describeVersion, enqueue, type Task, z } from '#runtime'
import { cancelDelivery, findDispatch, pruneDeliveries } from './deliveries.ts'
import { isSuccess, recordOutcome } from './outcome.ts'
import { listSecrets } from './store.ts'
import { webhookVariables } from './variables.ts'

/** How long a receiver may take to respond, in seconds. Standard Webhooks recommends 15 to 30. */
const patienceSeconds = 15

/**
 * Sends a delivery once. What becomes of it is written with the state `done`, and so is the task of the next attempt: a
 * receiver that fails is no failure of this service, and nothing that a person here must repair.
 */
export const deliver: Task<z.ZodObject<{ deliveryId: z.ZodUUID; turn: z.ZodInt }>> = defineTask({
  name: 'webhooks.deliver',
  payload: z.object({ deliveryId: z.uuid(), turn: z.int() }),
  variables: webhookVariables,
  deadline: '30s',
  async run({ payload, database, config, signal, log }) {
    const { deliveryId } = payload
    const dispatch = await findDispatch(database, payload)
    if (!dispatch) {
      log.info(`The delivery ${deliveryId} is not sent: it was deleted, or another task sends it`)
      return
    }
    if (dispatch.disabledAt) {
      log.info(`The delivery ${deliveryId} is not sent: its webhook is disabled`)
      return (tx) => cancelDelivery(tx, dispatch, 'It was not sent: the webhook was disabled')
    }
    const secrets = await listSecrets(database, dispatch.webhookId)
    const { sendWebhook } = await import('./send.ts')
    const outcome = await sendWebhook(dispatch, {
      ...{ secrets, signal, privateHosts: config.WEBHOOKS_PRIVATE_HOSTS },
      timeoutMs: Math.min(patienceSeconds, config.REQUEST_TIMEOUT / 2) * 1000,
      userAgent: `${describeVersion(config).service} (webhooks)`,
    })
    if (!isSuccess(outcome.status))
      log.info(
        `The delivery ${deliveryId} has failed: ${outcome.error ?? `the status was ${outcome.status}`}`,
      )
    return async (tx) => {
      const next = await recordOutcome(tx, dispatch, outcome)
      if (next) await enqueue(tx, deliver, { deliveryId, turn: next.turn }, { delay: `${next.delayMs}ms` })
    }
  },
})

/** How many deliveries one task deletes. It enqueues another task for the rest. */
const batchSize = 1000

/** Deletes deliveries that are older than WEBHOOKS_KEEP. */
export const prune: Task<z.ZodObject> = defineTask({
  name: 'webhooks.prune',
  payload: z.object({}),
  variables: webhookVariables,
  async run({ config }) {
    return async (tx) => {
      const count = await pruneDeliveries(tx, config.WEBHOOKS_KEEP, batchSize)
      if (count === batchSize) await enqueue(tx, prune, {})
    }
  },
})

/** Deletes old deliveries once a night. */
export const pruneNightly = defineSchedule({
  name: 'webhooks.nightly',
  cron: '45 3 * * *',
  timeZone: 'Etc/UTC',
  task: prune,
  payload: {},
})
