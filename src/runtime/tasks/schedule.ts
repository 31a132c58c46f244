import { Cron } from 'croner'
import { z } from 'zod'
import { stored, type Task } from './task.ts'

/** A task that is enqueued by the clock, as `defineSchedule` made it. */
export interface Schedule {
  readonly name: string
  readonly task: Task
  readonly payload: unknown
  /** The first slot after a moment; `undefined` where none will come. */
  readonly nextAfter: (moment: Date) => Date | undefined
}

/**
 * Declares a schedule. List it in its feature's `schedules`. A new one begins now; of slots that were missed, one
 * is made up for. A local time that a change of the clocks leaves out is run once, right after the gap, and one
 * that comes twice is run once; a pattern with `*` or a step in its minutes or hours goes by time that passes.
 *
 * @param schedule.cron minute, hour, day of the month, month, day of the week: `30 3 * * *`
 * @param schedule.timeZone such as `Europe/Berlin`
 * @throws {TypeError} for a name without a dot, a pattern or a time zone that is not one, a pattern that no day
 *   fits, and a payload that the task does not take
 */
export function defineSchedule<Payload extends z.ZodType>(schedule: {
  name: string
  cron: string
  timeZone: string
  task: Task<Payload>
  payload: z.input<Payload>
}): Schedule {
  const { name, cron, timeZone, task, payload } = schedule
  const pattern = parse(schedule)
  const nextAfter = (moment: Date) => pattern.nextRun(moment) ?? undefined
  if (!/^[\w-]+(\.[\w-]+)+$/.test(name)) throw wrong(name, 'its name has a dot, such as orders.nightly.')
  if (!nextAfter(new Date())) throw wrong(name, `no moment fits "${cron}" in ${timeZone}.`)
  const checked = task.payload.safeParse(stored(payload))
  if (!checked.success)
    throw wrong(name, `${task.name} does not take its payload. ${z.prettifyError(checked.error)}`)
  return { name, task, payload, nextAfter }
}

function parse({ name, cron, timeZone }: { name: string; cron: string; timeZone: string }): Cron {
  if (cron.trim().split(/\s+/).length !== 5) throw wrong(name, `"${cron}" has not the five fields of cron.`)
  try {
    const pattern = new Cron(cron, { timezone: timeZone, fixedTimeRule: 'no-wildcard' })
    pattern.nextRun()
    return pattern
  } catch (error) {
    throw wrong(name, error instanceof Error ? error.message : 'its cron pattern is not one.')
  }
}

function wrong(name: string, what: string): TypeError {
  return new TypeError(`The schedule ${name}: ${what}`)
}
