import { isDeepStrictEqual } from 'node:util'
import { labelOf } from './contestants.ts'
import { callers, orderId, ordersPerCaller } from './environment.ts'
import { requests, type Work } from './requests.ts'
import type { Running } from './run.ts'
import { type HttpRequest, type HttpResponse, send } from './send.ts'

/** The headers that a contestant with the service's duties sends. */
const serviceHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'strict-transport-security': 'max-age=31536000',
}

const uuid = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const seeded = (caller: number, which: number) => ({
  ...{ id: orderId(caller, which), item: 'Teapot', quantity: 2, status: 'placed' },
})

/** What a response to each work must be. It returns what is wrong. */
const expected: Record<Work, (response: HttpResponse, caller: number) => string | undefined> = {
  get: (response, caller) =>
    wrong(response, 200, { etag: '"1"' }) ?? wrongOrder(parse(response), seeded(caller, 3)),
  post(response) {
    const order = parse(response) as { id?: string }
    if (!uuid.test(order.id ?? '')) return 'its id is no UUIDv7'
    return (
      wrong(response, 201, { etag: '"1"', location: `/orders/${order.id}` }) ??
      wrongOrder(order, { ...seeded(0, 0), id: order.id })
    )
  },
  list: wrongPage,
  listGzip(response, caller) {
    if (response.headers['content-encoding'] !== 'gzip') return 'it is not compressed'
    return wrongPage(response, caller)
  },
  noToken: (response) => wrong(response, 401),
  badToken: (response) => wrong(response, 401),
  badBody: (response) => wrong(response, 400),
}

/** The code of the problem that a work gets. */
const codes: Partial<Record<Work, string>> = {
  noToken: 'TOKEN_MISSING',
  badToken: 'TOKEN_INVALID',
  badBody: 'VALIDATION_FAILED',
}

/**
 * Sends one request of a work, and compares the response, and what the contestant wrote to its log, to what its duties demand.
 *
 * @throws {Error} naming the contestant, the work and what is wrong: numbers of a wrong response would mean nothing
 */
export async function check(running: Running, work: Work): Promise<void> {
  const { contestant } = running
  const caller = work === 'get' || work.startsWith('list') ? callers.length - 1 : 0
  const all = requests[work]
  const request = (work === 'get' ? all.at(-4) : all[Math.min(caller, all.length - 1)]) as HttpRequest
  const requestId = `check-${work}-${Date.now()}`
  running.readLog()
  const response = await sendPatiently(running.port, {
    ...request,
    headers: { ...request.headers, 'x-request-id': requestId },
  })
  const problem =
    expected[work](response, caller) ??
    wrongDuties(running, response, requestId) ??
    (await wrongLog(running, response, requestId)) ??
    wrongProblem(running, response, work)
  if (problem === undefined) return
  const shown = `${response.status} ${JSON.stringify(response.headers)} ${response.text.slice(0, 500)}`
  throw new Error(`${labelOf(contestant)}, ${work}: ${problem}. It responded with ${shown}`)
}

async function sendPatiently(port: number, request: HttpRequest): Promise<HttpResponse> {
  if (request.headers['accept-encoding'] === undefined) return send(port, request)
  const raw = await fetch(`http://127.0.0.1:${port}${request.path}`, { headers: request.headers })
  // fetch has decompressed it
  return { status: raw.status, headers: Object.fromEntries(raw.headers), text: await raw.text() }
}

function wrongDuties(running: Running, response: HttpResponse, requestId: string): string | undefined {
  const { duties } = running.contestant
  if (duties.requestId && response.headers['x-request-id'] !== requestId)
    return 'it does not return the request id'
  if (duties.headers === 'service')
    for (const [name, value] of Object.entries(serviceHeaders))
      if (response.headers[name] !== value)
        return `its header ${name} is ${response.headers[name]}, not ${value}`
  if (duties.headers === 'own' && response.headers['x-content-type-options'] !== 'nosniff')
    return 'it has no security headers'
  return undefined
}

/** Some write the line after the response: it may take a moment. */
async function wrongLog(
  { contestant, readLog }: Running,
  response: HttpResponse,
  requestId: string,
): Promise<string | undefined> {
  const { log: kind } = contestant.duties
  if (kind === 'none') return undefined
  const isLine = (line: string) =>
    kind === 'text'
      ? line.includes(String(response.status))
      : line.includes(requestId) && /"(url|requestUrl)"/.test(line)
  let log = ''
  for (const giveUp = performance.now() + 5_000; performance.now() < giveUp; ) {
    log += readLog()
    const lines = log.split('\n').slice(0, -1).filter(isLine)
    if (lines.length > 1 && kind !== 'text')
      return `its log has ${lines.length} lines for the request, not one`
    if (lines.length > 0) return kind === 'cloud' ? wrongLine(lines[0] as string, response.status) : undefined
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return 'its log has no line for the request'
}

function wrongLine(line: string, status: number): string | undefined {
  const { severity, message, httpRequest } = JSON.parse(line)
  if (httpRequest?.status !== status) return `its log line says ${httpRequest?.status}`
  return typeof severity === 'string' && typeof message === 'string'
    ? undefined
    : 'its log line has no severity or message'
}

function wrongProblem(running: Running, response: HttpResponse, work: Work): string | undefined {
  const code = codes[work]
  if (code === undefined || !running.contestant.duties.problems) return undefined
  const body = parse(response) as { code?: string; status?: number; errors?: unknown[] }
  if (!response.headers['content-type']?.includes('application/problem+json')) return 'it is no problem'
  if (body.code !== code || body.status !== response.status) return `its problem is ${body.code}, not ${code}`
  if (work === 'badBody')
    return (body.errors?.length ?? 0) >= 1 ? undefined : 'it does not name the fields that are wrong'
  return response.headers['www-authenticate']?.includes('Bearer') ? undefined : 'it has no WWW-Authenticate'
}

function wrong(
  response: HttpResponse,
  status: number,
  headers: Record<string, string> = {},
): string | undefined {
  if (response.status !== status) return `the status is not ${status}`
  const [name] = Object.entries(headers).find(([name, value]) => response.headers[name] !== value) ?? []
  return name && `its header ${name} is not ${headers[name]}`
}

function wrongPage(response: HttpResponse, caller: number): string | undefined {
  const { items, nextCursor } = parse(response) as { items?: unknown[]; nextCursor?: string }
  if (items?.length !== 20) return `it has ${items?.length} orders`
  if (!nextCursor) return 'it has no nextCursor'
  const places = items.map((item, index) => wrongOrder(item, seeded(caller, ordersPerCaller - 21 - index)))
  return wrong(response, 200) ?? places.find((place) => place !== undefined)
}

/** An order has exactly these fields, and the time when it was placed. */
function wrongOrder(order: unknown, fields: object): string | undefined {
  const { createdAt, ...rest } = order as { createdAt?: string }
  if (!time.test(createdAt ?? '')) return 'createdAt is no time'
  return isDeepStrictEqual(rest, fields) ? undefined : `the order is not ${JSON.stringify(fields)}`
}

function parse({ text }: HttpResponse): object {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
