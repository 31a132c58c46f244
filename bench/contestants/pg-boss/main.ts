import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { countDown, fulfilStatements, serveCommands, waitingOrders } from '../common/fulfil.ts'
import { pool as poolOptions, settings } from '../common/settings.ts'

// pg-boss with batches, several workers, and no pause while batches are full: what its pages propose for many jobs.

const queue = 'fulfil'
const workers = 4
const boss = new PgBoss({ connectionString: settings.databaseUrl, max: 10, useListenNotify: true })
boss.on('error', console.error)
await boss.start()
await boss.createQueue(queue, { notify: true })
const pool = new pg.Pool(poolOptions)

let count = 0
async function enqueue(): Promise<void> {
  const orders = await waitingOrders()
  count = orders.length
  await boss.insert(
    queue,
    orders.map((orderId) => ({ data: { orderId } })),
  )
}

serveCommands({
  enqueue,
  async run() {
    const { one, all } = countDown(count)
    await work(one)
    await all
    await boss.offWork(queue, { wait: true }) // waits until all are completed
  },
  async fanOut() {
    const { one, all } = countDown((await waitingOrders()).length)
    await work(one)
    await setTimeout(1_000) // they poll by now
    const started = performance.now()
    await enqueue()
    await all
    const ms = performance.now() - started
    await boss.offWork(queue, { wait: true })
    return ms
  },
})

function work(one: () => void): Promise<string> {
  const options = {
    batchSize: 50,
    localConcurrency: workers,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
  }
  return boss.work<{ orderId: string }>(queue, options, async (jobs) => {
    await Promise.all(jobs.map(({ data }) => fulfil(data.orderId)))
    for (const _ of jobs) one()
  })
}

async function fulfil(orderId: string): Promise<void> {
  const { rowCount } = await pool.query({
    name: 'find_placed',
    text: fulfilStatements.find,
    values: [orderId],
  })
  if (rowCount) await pool.query({ name: 'fulfil', text: fulfilStatements.fulfil, values: [orderId] })
}
