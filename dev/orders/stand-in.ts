import type { LocalService } from '../local/local-service.ts'
import type { Environment } from '../machine/settings.ts'
import { createWarehouse } from './warehouse.ts'

/** The warehouse of development, unless WAREHOUSE_URL names another. */
export async function start(environment: Environment): Promise<LocalService> {
  if (environment.WAREHOUSE_URL) return { environment: {}, facts: [], stop: async () => {} }
  const { url, close } = await createWarehouse()
  return { environment: { WAREHOUSE_URL: url }, facts: [['Warehouse', `${url}/shipments`]], stop: close }
}
