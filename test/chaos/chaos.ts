import pg from 'pg'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import type { FaultSettings } from '#dev/cloud-tasks/faults.ts'
import { seededRandom } from '#dev/cloud-tasks/random.ts'
import { freePort } from '#dev/machine/ports.ts'
import { emulated, testTasks } from '#test/support/task-variables.ts'
import { as, testAuth } from '#test/support/tokens.ts'
import { createCarrier } from './carrier.ts'
import { sendJourneys, sendParcels } from './clients.ts'
import { atRest, findViolations, noteCommits, summarise } from './evidence.ts'
import { createMarksTable } from './journeys.ts'
import { findJourneyViolations } from './journeys-evidence.ts'
import { killRepeatedly } from './killer.ts'
import { createParcelsTable } from './parcels.ts'
import { startVictim } from './service.ts'

/** How bad it gets. */
export interface ChaosOptions {
  /** The file of a bundle that serves parcels. */
  readonly bundle: string
  /** An empty, migrated database. */
  readonly databaseUrl: string
  /** Makes every decision that is ours the same again; when processes get to run is the machine's. */
  readonly seed: number
  readonly parcels: number
  /** Each is a batch of four legs. */
  readonly journeys: number
  readonly kills: number
  /** Parcels under way at once. */
  readonly clients?: number
  readonly faults?: FaultSettings
  /** Milliseconds for all of it. */
  readonly patience: number
}

/** What came of it. */
export interface ChaosResult {
  /** What should not be, in words. */
  readonly violations: string[]
  readonly summary: Record<string, unknown>
}

const usualFaults: FaultSettings = {
  ...{ duplicate: 0.05, duplicateAtOnce: 0.05, loseAck: 0.05, reorder: 0.2, delay: 0.1, delayUpTo: 2_000 },
  ...{ createUnavailable: 0.05, createTimesOut: 0.003 },
}

/** What each parcel leads to, at least: CreateTask and a shipment, each with a beginning and an end. */
const momentsPerParcel = 4
/** The same for a leg: its CreateTask, a bag, and the CreateTask after its sleep. */
const momentsPerLeg = 6
const legs = 4
/** The kills come while the first part of that happens, so that none comes too late. */
const killedShare = 0.6

/**
 * Sends parcels while nearly everything fails, and the service is killed again and again; then lets all come to
 * rest, and looks at what is left.
 */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const {
    bundle,
    databaseUrl,
    seed,
    parcels,
    journeys,
    kills,
    clients = 16,
    faults = usualFaults,
    patience,
  } = options
  const began = performance.now()
  const random = seededRandom(seed)
  const carrier = await createCarrier({ failureRate: 0.1, seed })
  const emulator = await createEmulator()
  const { TASKS_QUEUE, TASKS_INVOKER: email } = testTasks
  const rateLimits = { maxDispatchesPerSecond: 500, maxConcurrentDispatches: 30 }
  const retryConfig = { maxAttempts: -1, minBackoff: '1s', maxBackoff: '5s' }
  emulator.createQueue(TASKS_QUEUE, { rateLimits, retryConfig })
  emulator.faults.set({ ...faults, seed })

  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const service = startVictim(bundle, {
    ...emulated(emulator, url),
    PORT: `${port}`,
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: '20',
    CARRIER_URL: carrier.url,
    AUTH_SECRET: testAuth.secret,
  })
  const late = new AbortController()
  const timer = setTimeout(
    () =>
      late.abort(new Error(`Not at rest after ${patience / 1000} s: it hangs, or the machine is very slow`)),
    patience,
  )
  const signal = AbortSignal.any([late.signal, service.lost])
  const moments = momentsPerParcel * parcels + momentsPerLeg * legs * journeys
  const mean = (killedShare * moments) / kills
  const killing = killRepeatedly(service, kills, () => Math.ceil(2 * mean * random('kill')))
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  try {
    await database.query(`${createParcelsTable};${createMarksTable}`)
    await noteCommits(database)
    await service.up()
    emulator.schedule({ url: `${url}/runtime/tick`, audience: url, email, everySeconds: 1 })
    const headers = await as('alice')
    const client = { url, headers, up: service.up, signal }
    const [accepted, started] = await Promise.all([
      sendParcels(parcels, clients, client),
      sendJourneys(journeys, legs, client),
    ])
    const accepting = seconds(began)
    void killing.over.then(() => emulator.faults.set({}))
    await atRest(database, () => emulator.pending().length, signal)
    const all = seconds(began)

    const shipments = carrier.shipments()
    const violations = [
      ...service.complaints.map((line) => `The service wrote: ${line}`),
      ...(await findViolations(database, { accepted, shipments })),
      ...(await findJourneyViolations(database, {
        journeys: started,
        bags: carrier.bags(),
        mostAtOnce: carrier.mostAtOnce(),
      })),
    ]
    const killed = killing.count()
    if (killed < kills) violations.push(`The service was killed only ${killed} times`)
    const summary = {
      seed,
      parcels,
      journeys,
      legsAtOnce: carrier.mostAtOnce(),
      killed,
      accepting,
      all,
      ...(await summarise(database, { accepted, shipments })),
    }
    return { violations, summary }
  } finally {
    clearTimeout(timer)
    killing.stop()
    await service.end()
    await Promise.all([database.end(), emulator.close()])
    await carrier.close()
  }
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10
}
