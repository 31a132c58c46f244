import { Cron } from 'croner'
import { z } from 'zod'
import { roundTripJson, type Task } from './task.ts'

/** A schedule that enqueues a task, as `defineSchedule` returns it. */
export interface Schedule {
  readonly name: string
  readonly task: Task
  readonly payload: unknown
  /** The cron pattern and the time zone, as one text. A schedule whose pattern changes has other slots. */
  readonly pattern: string
  /** The first slot after a time; `undefined` if there is none. @throws {TypeError} for an unknown time zone */
  readonly nextAfter: (moment: Date) => Date | undefined
}

/**
 * Declares a schedule. List it in its feature's `schedules`.
 *
 * A new schedule starts with its next slot. So does one that is declared again after it was removed for half an hour or
 * more. If slots were missed while it was declared, it runs once for all of them.
 *
 * When summer time starts or ends, a local time that does not exist runs once, right after the gap, and a local time that
 * exists twice runs once. A pattern with `*` or a step in its minutes or hours runs by elapsed time.
 *
 * @param schedule.cron minute, hour, day of the month, month, day of the week: `30 3 * * *`
 * @param schedule.timeZone such as `Europe/Berlin`. It is checked when the first slot is computed, because loading the time
 *   zones would make each start about 15 ms longer. A test computes the next slot of each schedule
 * @throws {TypeError} for a name without a dot, a wrong pattern, and a payload that the task does not take
 * @example
 * const nightly = defineSchedule({
 *   name: 'orders.nightly',
 *   cron: '30 3 * * *',
 *   timeZone: 'Europe/Berlin',
 *   task: cancelStale,
 *   payload: {},
 * })
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
  namingSchedule(name, () => new Cron(cron))
  const checked = task.payload.safeParse(namingSchedule(name, () => roundTripJson(task, payload)))
  if (!checked.success)
    throw wrong(name, `${task.name} does not take its payload. ${z.prettifyError(checked.error)}`)
  let pattern: Cron | undefined
  function nextAfter(moment: Date): Date | undefined {
    const next = namingSchedule(name, () => {
      pattern ??= new Cron(cron, { timezone: timeZone, fixedTimeRule: 'no-wildcard' })
      return pattern.nextRun(moment)
    })
    return next ?? undefined
  }
  return { name, task, payload, pattern: [...fields, timeZone].join(' '), nextAfter }
}

/** Runs `work`. If it throws, the error names the schedule. */
function namingSchedule<Value>(name: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw wrong(name, error instanceof Error ? error.message : 'its cron pattern is wrong.')
  }
}

function wrong(name: string, what: string): TypeError {
  return new TypeError(`The schedule ${name}: ${what}`)
}
