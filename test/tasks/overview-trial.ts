import { beforeEach } from 'vitest'
import { z } from 'zod'
import { defineSchedule } from '#src/runtime/tasks/schedule.ts'
import { defineTask } from '#src/runtime/tasks/task.ts'
import { expectJson, type Json } from '#test/support/expect.ts'
import { trial } from './trial.ts'

interface Summary extends Json {
  name: string
  known: boolean
  states: { state: string; count: number; more: boolean; oldestDueAt: string }[]
  lastHour: Finished
}
interface Finished {
  done: number
  dead: number
  failedAttempts: number
}
/** What the overview says. */
export interface Overview {
  now: string
  tasks: Summary[]
  lastHour: Finished[]
  estimated: boolean
  schedules: Json[]
  links: Json
}

/** A service with two tasks and a schedule, and an operator who reads its overview. */
export async function overviewTrial() {
  const warehouse = { isShut: false }
  const run = async () => {
    if (warehouse.isShut) throw new Error('the warehouse is shut')
  }
  const payload = z.object({ part: z.string().optional() })
  const work = defineTask({
    name: 'trial.work',
    payload,
    retry: { attempts: 2, backoff: { min: '1s', max: '1s' } },
    run,
  })
  const other = defineTask({ name: 'trial.other', payload, run })
  const nightly = defineSchedule({
    ...{ name: 'trial.nightly', cron: '30 3 * * *', timeZone: 'UTC', task: other },
    payload: { part: 'all' },
  })
  const service = await trial({ tasks: [work, other], schedules: [nightly] })
  const olga = await service.as('olga', ['runtime:admin'])

  beforeEach(async () => {
    await service.clear()
    await service.query('delete from runtime.schedules')
    warehouse.isShut = false
  })

  return {
    ...{ service, work, other, warehouse },
    read: async () => expectJson<Overview>(await olga('/runtime/tasks/overview')),
    post: (path: string, headers: Record<string, string> = {}) => olga(path, { method: 'POST', headers }),
  }
}
