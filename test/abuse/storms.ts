import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Input } from './inputs.ts'

/** What came back while many clients asked at once. */
export interface Outcome {
  /** How many responses of each status; of those that were cut, `cut`. */
  readonly statuses: Record<string, number>
  /** 503s that do not say when to come back. */
  readonly withoutRetryAfter: number
  /** What small requests took meanwhile, and how many were not served. */
  readonly small: {
    readonly sent: number
    readonly failed: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly longestMs: number
  }
}

const clients = 80

/** Sends a request; its status, or `cut`. */
async function send(
  url: string,
  { path, body, type, headers }: Input,
): Promise<[status: string, bytes: number, headers: Headers]> {
  try {
    const response = await fetch(url + path, {
      ...(body !== undefined && { method: 'POST', body }),
      headers: { 'Accept-Encoding': 'identity', ...(type && { 'Content-Type': type }), ...headers },
    })
    const bytes = (await response.bytes()).length
    return [String(response.status), bytes, response.headers]
  } catch {
    return ['cut', 0, new Headers()]
  }
}

/** Sends a request by so many clients at once; the responses' statuses, and their bytes in all. */
export async function sendAtOnce(url: string, input: Input) {
  const responses = await Promise.all(Array.from({ length: input.clients ?? 1 }, () => send(url, input)))
  const statuses: Record<string, number> = {}
  for (const [status] of responses) statuses[status] = (statuses[status] ?? 0) + 1
  return { statuses, bytes: responses.reduce((sum, [, bytes]) => sum + bytes, 0) }
}

/** 80 clients send these requests, each as soon as its last was answered, while others send small ones. */
export async function storm(url: string, inputs: readonly Input[], seconds: number): Promise<Outcome> {
  const statuses: Record<string, number> = {}
  let withoutRetryAfter = 0
  const until = performance.now() + 1000 * seconds
  const client = async (at: number) => {
    for (let turn = at; performance.now() < until; turn++) {
      const [status, , headers] = await send(url, inputs[turn % inputs.length] as Input)
      statuses[status] = (statuses[status] ?? 0) + 1
      if (status === '503' && !headers.has('retry-after')) withoutRetryAfter++
    }
  }
  const stopPinging = startPinging(url)
  await Promise.all(Array.from({ length: clients }, (_none, at) => client(at)))
  return { statuses, withoutRetryAfter, small: await stopPinging() }
}

/** 80 clients that ask for a large response and never read it, or send their body byte by byte. */
export async function slow(url: string, kind: 'readers' | 'senders', seconds: number): Promise<Outcome> {
  const until = performance.now() + 1000 * seconds
  const statuses: Record<string, number> = {}
  const sockets = Array.from({ length: clients }, (_none, at) => {
    const socket = connect(Number(new URL(url).port), new URL(url).hostname).setEncoding('latin1')
    socket.on('error', () => {})
    socket.once('data', (text) => {
      const status = /^HTTP\/1.1 (\d+)/.exec(String(text))?.[1] ?? 'cut'
      statuses[status] = (statuses[status] ?? 0) + 1
      if (kind === 'readers') socket.pause()
    })
    const path = ['/page', '/text', '/flow'][at % 3]
    if (kind === 'readers') socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    else
      socket.write(
        'POST /texts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
    return socket
  })
  const stopPinging = startPinging(url)
  if (kind === 'senders') await trickle(sockets, until)
  else await setTimeout(until - performance.now())
  for (const socket of sockets) socket.destroy()
  return { statuses, withoutRetryAfter: 0, small: await stopPinging() }
}

/** Chunks of one byte: each costs the server as much as one of 64 KiB. */
async function trickle(sockets: readonly Socket[], until: number): Promise<void> {
  const chunks = '1\r\n \r\n'.repeat(2000)
  while (performance.now() < until) {
    for (const socket of sockets) if (!socket.writableNeedDrain && socket.writable) socket.write(chunks)
    await setTimeout(20)
  }
}

/** Sends small requests from a thread of its own; tells what they took once it is stopped. */
function startPinging(url: string): () => Promise<Outcome['small']> {
  const worker = new Worker(new URL('ping.ts', import.meta.url), { workerData: { url } })
  return async () => {
    worker.postMessage('stop')
    const [{ took, failed }] = (await once(worker, 'message')) as [{ took: number[]; failed: number }]
    const sorted = took.toSorted((a, b) => a - b)
    const part = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return { sent: took.length, failed, p50Ms: part(0.5), p99Ms: part(0.99), longestMs: part(1) }
  }
}
