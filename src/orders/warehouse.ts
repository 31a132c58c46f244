import { secureUrl, tracedFetch, variable, z } from '#runtime'

/** The environment variables of the warehouse. */
export const warehouseVariables = {
  WAREHOUSE_URL: variable('must be an https:// URL', secureUrl, undefined).meta({ shown: true }),
}

const Shipment = z.object({ id: z.string().min(1) })

/**
 * Orders a shipment from the warehouse. The same idempotency key gets the same shipment, however often it is sent.
 *
 * @returns the shipment's id
 * @throws {Error} for any response but a 201
 */
export async function ship(
  url: string,
  parcel: { orderId: string; item: string; quantity: number },
  options: { signal: AbortSignal; idempotencyKey: string },
): Promise<string> {
  const response = await tracedFetch(`${url.replace(/\/+$/, '')}/shipments`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': options.idempotencyKey,
    },
    body: JSON.stringify(parcel),
    signal: options.signal,
  })
  if (response.status !== 201) {
    await response.body?.cancel()
    throw new Error(`The warehouse responded with ${response.status}`)
  }
  return Shipment.parse(await response.json()).id
}
