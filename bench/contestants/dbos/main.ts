import { DBOS } from '@dbos-inc/dbos-sdk'
import pg from 'pg'
import { fulfilStatements, serveCommands, waitingOrders } from '../common/fulfil.ts'
import { pool as poolOptions, settings } from '../common/settings.ts'

// DBOS with a workflow of five steps. Workflows are started directly, 24 at once: a queue would poll.

const concurrency = 24
const pool = new pg.Pool(poolOptions)
// DBOS refuses a URL without a host. Its parameter `host`, the folder of the socket, counts more than `localhost`.
const systemDatabaseUrl = settings.databaseUrl.replace('@/', '@localhost/')
DBOS.setConfig({
  ...{ name: 'bench', systemDatabaseUrl, runAdminServer: false, logLevel: 'error' },
  systemDatabasePool: new pg.Pool({ ...poolOptions, max: concurrency }),
})

const fulfil = DBOS.registerWorkflow(
  async (orderId: string) => {
    const order = await DBOS.runStep(() => find(orderId), { name: 'find' })
    if (!order) return
    for (const name of ['reserve', 'pack', 'label'])
      await DBOS.runStep(async () => ({ count: order.quantity }), { name })
    await DBOS.runStep(() => mark(orderId), { name: 'fulfil' })
  },
  { name: 'fulfil' },
)
await DBOS.launch()

let waiting: string[] = []
serveCommands({
  async enqueue() {
    waiting = await waitingOrders()
  },
  async run() {
    const worker = async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) await fulfil(id)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  },
})

async function find(orderId: string): Promise<{ item: string; quantity: number } | null> {
  const query = { name: 'find_placed', text: fulfilStatements.find, values: [orderId] }
  const { rows } = await pool.query<{ item: string; quantity: number }>(query)
  const [row] = rows
  return row ? { item: row.item, quantity: row.quantity } : null
}

async function mark(orderId: string): Promise<void> {
  await pool.query({ name: 'fulfil', text: fulfilStatements.fulfil, values: [orderId] })
}
