import { expect, test } from 'vitest'
import { z } from 'zod'
import { features } from '#src/app.ts'
import { defineSchedule, type Schedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectRule } from '#test/support/rule.ts'

/** The schedules that never come, each with the reason. */
function neverDue(schedules: readonly Schedule[]): string[] {
  return schedules.flatMap(({ name, nextAfter }) => {
    try {
      return nextAfter(new Date()) ? [] : [`${name}: its cron pattern fits no date`]
    } catch (error) {
      return [`${name}: ${error instanceof Error ? error.message : error}`]
    }
  })
}

test('every schedule has a next slot', () => {
  expectRule(
    'Every schedule comes, in a time zone that there is.',
    neverDue(features.flatMap(({ schedules }) => schedules)),
    'correct `cron` or `timeZone` in its `defineSchedule`.',
  )
})

test('this rule sees what it looks for', () => {
  const task = defineTask({ name: 'trial.work', payload: z.object({}), run: async () => {} })
  const schedule = (name: string, cron: string, timeZone: string) =>
    defineSchedule({ name, cron, timeZone, task, payload: {} })
  const schedules = [
    schedule('trial.daily', '0 3 * * *', 'Europe/Berlin'),
    schedule('trial.never', '0 3 30 2 *', 'UTC'),
    schedule('trial.nowhere', '0 3 * * *', 'Europe/Atlantis'),
  ]
  expect(neverDue(schedules)).toEqual([
    'trial.never: its cron pattern fits no date',
    expect.stringMatching(/^trial\.nowhere: .*Atlantis/),
  ])
})
