import { setTimeout } from 'node:timers/promises'
import { makeWorkerUtils, type Runner, run } from 'graphile-worker'
import { countDown, fulfilStatements, serveCommands, waitingOrders } from '../common/fulfil.ts'
import { settings } from '../common/settings.ts'

// graphile-worker with the settings of its page on performance. With BATCHES=no, it takes and completes each job by itself.

const utils = await makeWorkerUtils({ connectionString: settings.databaseUrl })
await utils.migrate()
const batches = process.env.BATCHES !== 'no' && {
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
}

let count = 0
async function enqueue(): Promise<void> {
  const orders = await waitingOrders()
  count = orders.length
  await utils.addJobs(orders.map((orderId) => ({ identifier: 'fulfil', payload: { orderId } })))
}

serveCommands({
  enqueue,
  async run() {
    const { one, all } = countDown(count)
    const runner = await work(one)
    await all
    await runner.stop() // waits until all are completed
  },
  async fanOut() {
    const { one, all } = countDown((await waitingOrders()).length)
    const runner = await work(one)
    await setTimeout(1_000) // it listens for new jobs by now
    const started = performance.now()
    await enqueue()
    await all
    const ms = performance.now() - started
    await runner.stop()
    return ms
  },
})

function work(one: () => void): Promise<Runner> {
  return run({
    preset: {
      worker: { connectionString: settings.databaseUrl, concurrentJobs: 24, maxPoolSize: 25, ...batches },
    },
    taskList: {
      async fulfil(payload, { withPgClient }) {
        const { orderId } = payload as { orderId: string }
        await withPgClient(async (client) => {
          const { rowCount } = await client.query({
            name: 'find_placed',
            text: fulfilStatements.find,
            values: [orderId],
          })
          if (rowCount)
            await client.query({ name: 'fulfil', text: fulfilStatements.fulfil, values: [orderId] })
        })
        one()
      },
    },
  })
}
