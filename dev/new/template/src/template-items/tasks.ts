import { defineTask, z } from '#runtime'
import { markPrepared } from './store.ts'

/** Prepares a template item that was created. */
export const prepareTemplateItem = defineTask({
  name: 'template-items.prepare',
  payload: z.object({ templateItemId: z.uuid() }),
  async run({ payload: { templateItemId } }) {
    // call other services here: no transaction is open. Give them `signal` and `idempotencyKey`
    return (tx) => markPrepared(tx, templateItemId)
  },
})
