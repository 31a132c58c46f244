import { call, secureUrl, variable, z } from '#runtime'

/** The environment variables of the warehouse. */
export const warehouseVariables = {
  WAREHOUSE_URL: variable('must be an https:// URL', secureUrl, undefined).meta({ shown: true }),
}

const Shipment = z.object({ id: z.string().min(1) })

/**
 * Orders a shipment from the warehouse. The same idempotency key gets the same shipment, however often it is sent.
 *
 * @returns the shipment's id
 * @throws {CallError} for a response that is no success
 * @throws {Error} for one that is no shipment
 */
export async function ship(
  url: string,
  parcel: { orderId: string; item: string; quantity: number },
  idempotencyKey: string,
): Promise<string> {
  const headers = { 'Idempotency-Key': idempotencyKey }
  const response = await call('/shipments', { base: url, method: 'POST', headers, json: parcel })
  if (response.status !== 201) throw new Error(`The warehouse responded with ${response.status}`)
  return Shipment.parse(await response.json()).id
}
