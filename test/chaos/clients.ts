/** What a client wanted, and what it got in the end. */
export interface Accepted {
  readonly key: string
  readonly item: string
  readonly quantity: number
  /** The parcel's id. */
  readonly id: string
  /** Requests until the status was 201. */
  readonly tries: number
}

/** What clients need. */
export interface ClientOptions {
  readonly url: string
  readonly headers: Record<string, string>
  /** Resolves when the service listens. */
  readonly up: () => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Has parcels accepted, `width` at once, each with its own key, under which it is sent until the status is 201.
 *
 * @throws for a response after which a client does not retry
 */
export async function sendParcels(count: number, width: number, options: ClientOptions): Promise<Accepted[]> {
  const accepted: Accepted[] = []
  let next = 0
  async function client(): Promise<void> {
    while (next < count) accepted.push(await send(next++, options))
  }
  await Promise.all(Array.from({ length: width }, client))
  return accepted
}

async function send(number: number, { url, headers, up, signal }: ClientOptions): Promise<Accepted> {
  const parcel = { item: `Teapot ${number}`, quantity: 1 + (number % 1000) }
  const key = `chaos-${number}`
  const request = {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify(parcel),
    signal,
  }
  for (let tries = 1; ; tries++) {
    await up()
    signal.throwIfAborted()
    const response = await ask(`${url}/parcels`, request)
    if (response?.status === 201) return { key, ...parcel, id: JSON.parse(response.body).id, tries }
    if (response && ![409, 503].includes(response.status))
      throw new Error(`A parcel got the status ${response.status}: ${response.body}`)
  }
}

/** The response; nothing where the connection was lost before its end. */
async function ask(url: string, request: RequestInit) {
  try {
    const response = await fetch(url, request)
    return { status: response.status, body: await response.text() }
  } catch {
    return undefined
  }
}
