import { isDeepStrictEqual } from 'node:util'
import type pg from 'pg'
import type { Shipment } from './carrier.ts'
import type { AcceptedJourney } from './clients.ts'
import { legsAtOnce } from './journeys.ts'

interface Outside {
  readonly journeys: readonly AcceptedJourney[]
  /** What the carrier was handed by legs. */
  readonly bags: readonly Shipment[]
  /** How many legs of one journey were with the carrier at the same time. */
  readonly mostAtOnce: number
}

/** What is not as it must be: each step's effect once, the batch closed, its report filed once, the limit kept. */
export async function findJourneyViolations(database: pg.Client, outside: Outside): Promise<string[]> {
  const { rows: marks } = await database.query<{ journey: string; leg: number; what: string[] }>(`
    select journey_id as journey, leg, array_agg(what order by what) as what from test_marks group by 1, 2 order by 2`)
  const byJourney = Map.groupBy(marks, ({ journey }) => journey)
  const bags = Map.groupBy(outside.bags, ({ parcelId }) => parcelId)
  const violations: string[] = []

  for (const { id, legs, seat } of outside.journeys) {
    const done = byJourney.get(id)?.map(({ leg, what }) => [leg, ...what])
    byJourney.delete(id)
    const expected: unknown[] = [[0, `report ${legs} of ${legs}`]]
    for (let leg = 1; leg <= legs; leg++) {
      const handed = bags.get(`${id}/${leg}`) ?? []
      bags.delete(`${id}/${leg}`)
      expected.push([leg, 'arrive', `board ${seat}`, ...handed.map((bag) => `fetch ${bag.id}`), 'leave'])
      if (handed.length !== 1) violations.push(`Leg ${leg} of ${id} has ${handed.length} bags`)
    }
    if (!isDeepStrictEqual(done, expected))
      violations.push(`The journey ${id} is ${JSON.stringify(done)}, not ${JSON.stringify(expected)}`)
  }
  for (const id of byJourney.keys()) violations.push(`No client got a response for the journey ${id}`)
  for (const id of bags.keys()) violations.push(`The carrier has the bag ${id}, which nobody has sent`)
  if (outside.mostAtOnce > legsAtOnce)
    violations.push(`${outside.mostAtOnce} legs of one journey ran at once, not ${legsAtOnce}`)

  const { rows: open } = await database.query(`
    select id, size, open from runtime.batches where finished_at is null or open <> 0`)
  for (const batch of open) violations.push(`A batch is open: ${JSON.stringify(batch)}`)
  return violations
}
