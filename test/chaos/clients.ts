/** What a client wanted, and what it got in the end. */
export interface Accepted {
  readonly key: string
  readonly item: string
  readonly quantity: number
  /** The parcel's id. */
  readonly id: string
  /** Requests until the answer was 201. */
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
 * Has parcels accepted, `width` at once, each with a key of its own under which it is tried until the answer is 201.
 *
 * @throws for an answer that no retry is due after
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
    const answer = await ask(`${url}/parcels`, request)
    if (answer?.status === 201) return { key, ...parcel, id: JSON.parse(answer.body).id, tries }
    if (answer && ![409, 503].includes(answer.status))
      throw new Error(`A parcel was answered ${answer.status}: ${answer.body}`)
  }
}

/** The answer; nothing where the connection was lost before its end. */
async function ask(url: string, request: RequestInit) {
  try {
    const response = await fetch(url, request)
    return { status: response.status, body: await response.text() }
  } catch {
    return undefined
  }
}
