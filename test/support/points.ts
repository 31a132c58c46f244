import { drizzle } from 'drizzle-orm/node-postgres'
import type { Database, Transaction } from '#src/runtime/database/database.ts'
import type { Log } from '#src/runtime/log/logger.ts'
import { cancelBatch } from '#src/runtime/tasks/batches.ts'
import { markQueued } from '#src/runtime/tasks/delivery.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { forceCancelTask } from '#src/runtime/tasks/force-cancel.ts'
import { takeOfBatch } from '#src/runtime/tasks/hand-over.ts'
import { takePlace, wakeTasks } from '#src/runtime/tasks/limits.ts'
import * as sweeps from '#src/runtime/tasks/maintenance.ts'
import * as operators from '#src/runtime/tasks/operators.ts'
import { finishStep } from '#src/runtime/tasks/step-store.ts'
import { setAside } from '#src/runtime/tasks/table.ts'
import * as ledger from '#src/runtime/tasks/transitions.ts'
import { startSleep, startWait } from '#src/runtime/tasks/wait-store.ts'
import { notesTable } from './notes-table.ts'
import { stepsFeature } from './steps.ts'

// The points of the code where a process may die: what each of these functions says to the database, whatever text
// Drizzle makes of it.

const id = '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f'
const dispatch = { id, name: 'steps.step', dispatch: 1 }
const row = { ...dispatch, attempts: 1, undone: 0, lease: id } as ledger.ClaimedRow
const taken = { name: 'first', kind: 'step', tookMs: 1 } as const
const note = { id, owner: 'work', text: 'Tea', pages: 1 }
const operator = { log: {} as Log, caller: { subject: 'olga' } }
const group = { name: 'steps.limited', key: '', concurrency: 1, ordered: false }
const { step } = stepsFeature(async () => 'write')

/** Finds what the code says at each point, as it goes over the wire. */
export const points = {
  enqueue: statement((tx) => enqueue(tx, step, { text: 'Tea' })),
  enqueueMany: statement((tx) => enqueueMany(tx, step, [{ text: 'Tea' }])),
  cancelBatch: statement((tx) => cancelBatch(tx, id)),
  takeOfBatch: statement((database) => takeOfBatch(database, id, 10)),
  markQueued: statement((database) => markQueued(database, [dispatch])),

  claim: statement((database) => ledger.claim(database, dispatch)),
  findState: statement((database) => ledger.findState(database, id)),
  markDone: statement((database) => ledger.markDone(database, row)),
  releaseTask: statement((database) => ledger.releaseTask(database, row)),
  requeueForRetry: statement((database) =>
    ledger.requeueForRetry(database, row, 1, { error: 'Error: lost' }),
  ),
  markDead: statement((database) => ledger.markDead(database, row, 1, { error: 'Error: lost' })),
  finishStep: statement((database) => finishStep(database, row, taken, undefined)),
  startSleep: statement((database) => startSleep(database, row, 'nap', 1)),
  startWait: statement((database) => startWait(database, row, { name: 'word', key: id }, 1)),
  requeueForUndo: statement((database) => ledger.requeueForUndo(database, row, { error: 'Error: lost' })),
  markUndone: statement((database) => ledger.markUndone(database, { ...row, undoing: 'dead' }, null)),
  markAnnounced: statement((database) => ledger.markAnnounced(database, id)),

  takePlace: statement((database) => takePlace(database, row, group)),
  giveBack: statement((database) =>
    ledger.giveBack(database, row, { limitSlot: setAside, limitKey: group.key }),
  ),
  wakeTasks: statement((database) => wakeTasks(database, group, 1)),

  takeUndelivered: statement((database) => sweeps.takeUndelivered(database, 1)),
  rescueTasks: statement((database) => sweeps.rescueTasks(database, 1)),
  takeOverdueDeliveries: statement((database) => sweeps.takeOverdueDeliveries(database, 1)),
  requeueLost: statement((database) => sweeps.requeueLost(database, dispatch)),
  pruneTasks: statement((database) => sweeps.pruneTasks(database, 1, 1)),

  redriveTask: statement((database) => operators.redriveTask(database, id)),
  redriveTasks: statement((database) => operators.redriveTasks(database, dispatch.name)),
  forceCancelTask: statement((database) => forceCancelTask(database, id, operator)),

  /** What the effect of a step writes. */
  effect: statement((tx) => tx.insert(notesTable).values(note)),
  commit: () => 'commit',
  rollback: () => 'rollback',

  /** To Cloud Tasks. */
  createTask: () => 'POST /v2/',
  getTask: () => 'GET /v2/',
}

/** A point of the code, by its name. */
export type Point = keyof typeof points

/** Whether it is said to Cloud Tasks, not to the database. */
export function isOfCloudTasks(point: Point): boolean {
  return point === 'createTask' || point === 'getTask'
}

/** The first statement that `work` sends; of an insert its head, since what is absent stands otherwise in its values. */
function statement(work: (database: Database & Transaction) => PromiseLike<unknown>) {
  return async function find(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const client = {
      async query({ text }: { text: string }) {
        resolve(text)
        return { rows: [], rowCount: 0 }
      },
    }
    await Promise.resolve(work(drizzle(client as never) as never)).catch(() => {}) // it finds nothing
    const [head = ''] = (await promise).split(' values ')
    return head
  }
}
