import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { countDown, fulfilStatements, serveCommands, waitingOrders } from '../common/fulfil.ts'
import { pool as poolOptions, settings } from '../common/settings.ts'

// pg-boss with batches, several workers, and no pause while batches are full: what its pages propose for many jobs.

const queue = 'fulfil'
const workers = 4
const boss = new PgBoss({ connectionString: settings.databaseUrl, max: 10 })
boss.on('error', console.error)
await boss.start()
await boss.createQueue(queue)
const pool = new pg.Pool(poolOptions)

let count = 0
serveCommands({
  async enqueue() {
    const orders = await waitingOrders()
    count = orders.length
    await boss.insert(
      queue,
      orders.map((orderId) => ({ data: { orderId } })),
    )
  },
  async run() {
    const { one, all } = countDown(count)
    const options = {
      batchSize: 50,
      localConcurrency: workers,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
    }
    await boss.work<{ orderId: string }>(queue, options, async (jobs) => {
      await Promise.all(jobs.map(({ data }) => fulfil(data.orderId)))
      for (const _ of jobs) one()
    })
    await all
    await boss.offWork(queue, { wait: true }) // waits until all are completed
  },
})

async function fulfil(orderId: string): Promise<void> {
  const { rowCount } = await pool.query({
    name: 'find_placed',
    text: fulfilStatements.find,
    values: [orderId],
  })
  if (rowCount) await pool.query({ name: 'fulfil', text: fulfilStatements.fulfil, values: [orderId] })
}
