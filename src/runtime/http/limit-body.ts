import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { Problem, problems } from '../kernel/problem.ts'
import type { BaseEnv } from './env.ts'
import { smallBytes } from './memory-budget.ts'
import type { BodyLimits } from './read-body.ts'
import { type BodyBytes, readIncoming, readStream } from './read-bytes.ts'
import { requestMemory } from './request-memory.ts'
import { shareBody } from './share-body.ts'
import type { Step } from './validation.ts'
import { waitForTurn } from './wait-for-turn.ts'

/** The limit of a body, in bytes, if the route declares no `bodyLimit`: 1 MiB. */
export const defaultBodyLimit = 1024 * 1024

/** What each byte of a body takes: the byte itself, and what is made of it (a text, the parts of a form). */
const memoryPerByte = 2

/** The minimum average size of chunks in a body that is not small. (A million chunks of one byte would take seconds.) */
const minChunkBytes = 16

/**
 * Refuses a body over the limit: by its `Content-Length`, or while it is read, if it has none. All ways to read the body
 * (`c.req.json()`, `c.req.raw.text()` …) share one reading, which ends with the request. `c.req.raw.body` streams a body
 * that has a `Content-Length`. A chunked body is read before the handler runs.
 *
 * @param maxBytes in bytes
 * @param limits what JSON or a form may hold
 */
export function limitBody(maxBytes = defaultBodyLimit, limits?: BodyLimits): Step {
  function check(size: number): void {
    if (size <= maxBytes) return
    throw new Problem(problems.BODY_TOO_LARGE, {
      detail: `The body may have ${maxBytes} bytes at most.`,
      headers: { Connection: 'close' }, // the unread bytes make the connection unusable for another request
    })
  }

  /** Counts the bytes of a body without a Content-Length as they arrive. */
  function counter(c: Context<BaseEnv>): (bytes: number) => void {
    let [size, chunks] = [0, 0]
    return function count(bytes) {
      size += bytes
      chunks++
      check(size)
      if (chunks * minChunkBytes > maxBytes + smallBytes) throw tooManyChunks()
      requestMemory(c).reserve(bytes * memoryPerByte)
    }
  }

  return function limitBody(c) {
    const { incoming } = c.env ?? {}
    if (incoming ? incoming.readableDidRead : c.req.raw.bodyUsed) return readBefore(c, check, limits)
    if (!incoming) return readRequest(c, counter(c)).then((bytes) => shareBody(c, async () => bytes, limits))
    const { signal } = c.var
    if ('transfer-encoding' in incoming.headers)
      return readIncoming(incoming, { count: counter(c), signal }).then(async (bytes) => {
        if (bytes.length > smallBytes) await waitForTurn()
        shareBody(c, async () => bytes, limits)
      })
    const length = Number(incoming.headers['content-length'] ?? 0)
    check(length)
    if (length > 0) requestMemory(c).reserve(length * memoryPerByte)
    async function read(): Promise<BodyBytes> {
      if (length === 0) return new Uint8Array()
      const bytes = await readIncoming(incoming as IncomingMessage, { length, signal })
      if (length > smallBytes) await waitForTurn()
      return bytes
    }
    shareBody(c, read, limits)
    return undefined
  }
}

/** Takes a body that a middleware in app.ts has read already, by `c.req`. */
async function readBefore(c: Context<BaseEnv>, check: (size: number) => void, limits?: BodyLimits) {
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  check(bytes.length)
  shareBody(c, async () => bytes, limits)
}

function tooManyChunks(): Problem {
  const detail = `The body has too many small chunks: they must have at least ${minChunkBytes} bytes on average.`
  return new Problem(problems.BODY_TOO_LARGE, { detail, headers: { Connection: 'close' } })
}

/** Reads the body of a request that did not come through Node's server, as in tests. */
async function readRequest(c: Context<BaseEnv>, count: (bytes: number) => void): Promise<BodyBytes> {
  const { body } = c.req.raw
  const bytes = body ? await readStream(body, count) : new Uint8Array()
  if (body) c.req.raw = new Request(c.req.raw, { body: bytes })
  return bytes
}
