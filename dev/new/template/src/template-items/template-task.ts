import { defineTask, z } from '#runtime'

/** Says here what the task does. */
export const templateTask = defineTask({
  name: 'template-items.template-task',
  payload: z.object({ id: z.uuid() }),
  async run({ payload: { id }, log }) {
    log.info({ id }, 'template-items.template-task runs')
    // call other services here: no transaction is open. Give them `signal` and `idempotencyKey`. To write to the database,
    // return a function of the transaction: it is committed together with "done"
  },
})
