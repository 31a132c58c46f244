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

/** A journey that a client has started, and given its ticket. */
export interface AcceptedJourney {
  readonly id: string
  readonly legs: number
  readonly seat: number
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
export function sendParcels(count: number, width: number, options: ClientOptions): Promise<Accepted[]> {
  return many(count, width, async (number) => {
    const parcel = { item: `Teapot ${number}`, quantity: 1 + (number % 1000) }
    const key = `chaos-${number}`
    return { key, ...parcel, ...(await post('/parcels', key, parcel, options)) }
  })
}

/**
 * Starts journeys, two at once, and gives each its ticket, while its legs travel.
 *
 * @throws for a response after which a client does not retry
 */
export function sendJourneys(
  count: number,
  legs: number,
  options: ClientOptions,
): Promise<AcceptedJourney[]> {
  return many(count, 2, async (seat) => {
    const { id } = await post('/journeys', `journey-${seat}`, { legs }, options)
    await post(`/journeys/${id}/tickets`, `ticket-${seat}`, { seat }, options)
    return { id, legs, seat }
  })
}

async function many<Result>(
  count: number,
  width: number,
  work: (number: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  async function client(): Promise<void> {
    while (next < count) results.push(await work(next++))
  }
  await Promise.all(Array.from({ length: width }, client))
  return results
}

async function post(path: string, key: string, body: object, { url, headers, up, signal }: ClientOptions) {
  const request = {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify(body),
    signal,
  }
  for (let tries = 1; ; tries++) {
    await up()
    signal.throwIfAborted()
    const response = await ask(`${url}${path}`, request)
    if (response?.status === 201) return { id: String(JSON.parse(response.body).id), tries }
    if (response && ![409, 503].includes(response.status))
      throw new Error(`${path} got the status ${response.status}: ${response.body}`)
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
