import { currentRequest } from '../kernel/context.ts'
import { CallError, type ReceivedProblem } from './call-error.ts'
import type { CallOptions } from './call-options.ts'
import { mayRepeat, pause, retryAfterMs, waitBefore } from './call-retries.ts'
import { addTokens, refuseToken } from './call-tokens.ts'
import { tracedFetch } from './traced-fetch.ts'

/** Of a response's body: as much as the service takes of a request's. */
const defaultMaxBytes = 1024 * 1024

/** The length of the body on the wire, and how it was compressed: what is returned has neither. */
const ofTheWire = ['content-encoding', 'content-length', 'transfer-encoding']

/**
 * Sends a call, and again where it may be repeated. See `call`.
 *
 * @returns the last response, whatever its status
 * @throws {CallError} if there is none
 */
export async function callService(url: string | URL, init: CallOptions): Promise<Response> {
  const target = targetOf(url, init)
  const request = currentRequest()
  const { attempts = request?.task ? 1 : 3, method = 'GET' } = init
  const headers = new Headers(init.headers)
  if (init.json !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json')
  const repeatable = mayRepeat(method, headers, init.body)
  const end = new AbortController()
  request?.outgoingCalls.push(end)
  const signal = AbortSignal.any(
    [end.signal, request?.signal, init.signal].filter((one) => one instanceof AbortSignal),
  )
  const { audience = target.origin } = init
  await addTokens(headers, { ...init, audience }, signal)
  for (let attempt = 1; ; attempt++) {
    const outcome = await send(target, init, headers, signal).catch((error: Error) => error)
    const waitMs = repeatable && attempt < attempts ? waitBefore(attempt + 1, outcome) : undefined
    if (waitMs !== undefined) await pause(waitMs, signal)
    else if (outcome instanceof Error) throw outcome
    else {
      if (outcome.status === 401) refuseToken(headers, audience)
      return outcome
    }
  }
}

/** Where the call goes. @throws {TypeError} for what is no URL, and for a path that would lead elsewhere */
function targetOf(url: string | URL, { base }: CallOptions): URL {
  const text = String(url)
  const isPath = text.startsWith('/')
  if (isPath && base === undefined)
    throw new TypeError(`A call to ${text} needs \`base\`: the URL of the other service.`)
  if (isPath && /\/\.\.?([/?]|$)/.test(text))
    throw new TypeError(`A call to ${text} would go to another path: a value in it is . or .. .`)
  const target = URL.parse(isPath ? `${base?.replace(/\/+$/, '')}${text}` : text)
  if (target?.protocol === 'https:' || target?.protocol === 'http:') return target
  throw new TypeError('A call needs a URL that starts with https:// or http://.')
}

/** One request. The body is read to its end, so that the connection ends with it. */
async function send(
  target: URL,
  init: CallOptions,
  headers: Headers,
  signal: AbortSignal,
): Promise<Response> {
  const { maxBytes = defaultMaxBytes, json } = init
  const body = json === undefined ? (init.body ?? null) : JSON.stringify(json)
  const fetchOptions: RequestInit = { ...init, body, headers, signal, redirect: 'manual' }
  try {
    const response = await tracedFetch(target, fetchOptions)
    const bytes = await readAtMost(maxBytes, response, target, init)
    const { status, statusText } = response
    const kept = new Headers(response.headers)
    for (const name of ofTheWire) kept.delete(name)
    const hasBody = ![204, 205, 304].includes(status)
    return new Response(hasBody ? bytes : null, { status, statusText, headers: kept })
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof TypeError && error.cause instanceof Error)) throw error
    // fetch says only "fetch failed" or "terminated"; its cause says why
    const { code, message }: NodeJS.ErrnoException = error.cause
    throw new CallError(`${nameOf(target, init)} got no response: ${code ?? message}`, {
      cause: error,
    })
  }
}

async function readAtMost(maxBytes: number, response: Response, target: URL, init: CallOptions) {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      throw new Error(
        `The response to ${nameOf(target, init)} is longer than ${maxBytes} bytes: give maxBytes.`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Names a call in messages. A query may hold what nobody should read. */
function nameOf({ origin, pathname }: URL, { method = 'GET' }: CallOptions): string {
  return `${method.toUpperCase()} ${origin}${pathname}`
}

/** The error for a response that is none of success. */
export async function failureOf(
  url: string | URL,
  init: CallOptions,
  response: Response,
): Promise<CallError> {
  const { status, headers } = response
  const problem = isJson(response) ? asProblem(parseJson(await response.text())) : undefined
  const code = problem?.code ?? problem?.title
  return new CallError(
    `${nameOf(targetOf(url, init), init)} responded with ${status}${code ? ` ${code}` : ''}`,
    {
      ...{ status, headers, problem },
      retryAfterMs: retryAfterMs(headers),
    },
  )
}

/** The body as its content type says. */
export async function readData(path: string, init: CallOptions, response: Response): Promise<unknown> {
  const { status, headers } = response
  if (!isJson(response)) {
    const body = await response.blob()
    if (body.size === 0) return undefined
    return /^text\//i.test(headers.get('content-type') ?? '') ? body.text() : body
  }
  const text = await response.text()
  const data = text === '' ? undefined : parseJson(text)
  if (data !== undefined || text === '') return data
  throw new CallError(
    `${nameOf(targetOf(path, init), init)} responded with ${status} and JSON that cannot be read`,
    {
      ...{ status, headers },
    },
  )
}

function isJson({ headers }: Response): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(headers.get('content-type') ?? '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function asProblem(body: unknown): ReceivedProblem | undefined {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
    ? (body as ReceivedProblem)
    : undefined
}
