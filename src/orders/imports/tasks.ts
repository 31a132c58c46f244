import { BatchCounts, defineTask, enqueueMany, z } from '#runtime'
import { placeOrder } from '../place.ts'
import { readPiece } from './read-piece.ts'
import {
  failImport,
  findFile,
  findOrderOfLine,
  finishImport,
  insertLines,
  markPlaced,
  startPlacing,
} from './store.ts'

/** Reads a file in pieces, then has its orders placed: a task for each, and a report behind the last one. */
export const importOrders = defineTask({
  name: 'orders.import',
  payload: z.object({ importId: z.uuid() }),
  async run({ payload: { importId }, database, step }) {
    const { failure } = await step(
      'read',
      z.object({ failure: z.string().optional() }),
      async ({ cursor, save }) => {
        const file = await findFile(database, importId)
        let place = cursor ?? { bytes: file.indexOf('\n') + 1, lines: 1 } // behind the header
        while (place.bytes < file.length) {
          const piece = await readPiece(file, place)
          if ('failure' in piece) return piece
          await save(piece.end, (tx) => insertLines(tx, importId, piece.lines))
          place = piece.end
        }
        return {}
      },
      { cursor: z.object({ bytes: z.int(), lines: z.int() }) },
    )
    if (failure !== undefined) return (tx) => failImport(tx, importId, failure)
    await step('place', async () => async (tx) => {
      const lines = await startPlacing(tx, importId)
      await enqueueMany(tx, importLine, lines, { finally: [reportImport, { importId }] })
    })
  },
})

/** Places the order of a line. Its writes are committed once, so it is one order, however often the task runs. */
export const importLine = defineTask({
  name: 'orders.import-line',
  payload: z.object({ importId: z.uuid(), line: z.int() }),
  async run({ payload, database }) {
    const order = await findOrderOfLine(database, payload)
    if (!order) return
    return async (tx) => {
      const { id } = await placeOrder(tx, order)
      await markPlaced(tx, payload, id)
    }
  },
})

/** Ends an import, when the tasks of all its lines have ended. */
export const reportImport = defineTask({
  name: 'orders.import-report',
  payload: z.object({ importId: z.uuid(), batch: BatchCounts }),
  async run({ payload: { importId, batch }, log }) {
    log.info(`The import ${importId} has ended: ${batch.done} of ${batch.size} orders were placed`)
    return (tx) => finishImport(tx, importId)
  },
})
