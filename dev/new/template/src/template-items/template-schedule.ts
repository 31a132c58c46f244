import { defineSchedule, defineTask, z } from '#runtime'

/** Says here what happens each time. */
export const templateScheduleTask = defineTask({
  name: 'template-items.template-schedule',
  payload: z.object({}),
  async run({ log }) {
    log.info({}, 'template-items.template-schedule runs')
    // to write to the database, return a function of the transaction: it is committed together with "done"
  },
})

/** When it happens: once a night. */
export const templateSchedule = defineSchedule({
  name: 'template-items.template-schedule',
  cron: '30 3 * * *',
  timeZone: 'UTC',
  task: templateScheduleTask,
  payload: {},
})
