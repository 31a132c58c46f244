import { Cron } from 'croner'
import { z } from 'zod'
import { stored, type Task } from './task.ts'

/** A task that is enqueued by the clock, as `defineSchedule` made it. */
export interface Schedule {
  readonly name: string
  readonly task: Task
  readonly payload: unknown
  /** Its cron and time zone, as one text: where it is another, the slots are others. */
  readonly pattern: string
  /** The first slot after a moment; `undefined` where none will come. @throws {TypeError} for a time zone that is none */
  readonly nextAfter: (moment: Date) => Date | undefined
}

/**
 * Declares a schedule. List it in its feature's `schedules`. A new one begins now. Where slots were missed while it was
 * declared, it runs once for all of them. One that was taken out and comes back begins now as well. A local time that a
 * change of the clocks leaves out is run once, right after the gap, and one that comes twice is run once. A pattern with
 * `*` or a step in its minutes or hours goes by time that passes.
 *
 * @param schedule.cron minute, hour, day of the month, month, day of the week: `30 3 * * *`
 * @param schedule.timeZone such as `Europe/Berlin`. It is looked at when the first slot is asked for, since time zones
 *   cost a start some 15 ms: a test asks each schedule for its next slot
 * @throws {TypeError} for a name without a dot, a pattern that is not one, and a payload that the task does not
 *   take
 */
export function defineSchedule<Payload extends z.ZodType>(schedule: {
  name: string
  cron: string
  timeZone: string
  task: Task<Payload>
  payload: z.input<Payload>
}): Schedule {
  const { name, cron, timeZone, task, payload } = schedule
  if (!/^[\w-]+(\.[\w-]+)+$/.test(name)) throw wrong(name, 'its name has a dot, such as orders.nightly.')
  const fields = cron.trim().split(/\s+/)
  if (fields.length !== 5)
    throw wrong(
      name,
      `"${cron}" does not have five fields: minute, hour, day of the month, month, day of the week.`,
    )
  understood(name, () => new Cron(cron))
  const checked = task.payload.safeParse(understood(name, () => stored(task, payload)))
  if (!checked.success)
    throw wrong(name, `${task.name} does not take its payload. ${z.prettifyError(checked.error)}`)
  let pattern: Cron | undefined
  function nextAfter(moment: Date): Date | undefined {
    const next = understood(name, () => {
      pattern ??= new Cron(cron, { timezone: timeZone, fixedTimeRule: 'no-wildcard' })
      return pattern.nextRun(moment)
    })
    return next ?? undefined
  }
  return { name, task, payload, pattern: [...fields, timeZone].join(' '), nextAfter }
}

function understood<Value>(name: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw wrong(name, error instanceof Error ? error.message : 'its pattern is not one.')
  }
}

function wrong(name: string, what: string): TypeError {
  return new TypeError(`The schedule ${name}: ${what}`)
}
