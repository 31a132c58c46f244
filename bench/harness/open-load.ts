import { connect, type Socket } from 'node:net'
import { type HttpRequest, sized } from './send.ts'

// Sends requests at a fixed rate, whatever the server does. It runs in a process of its own, started by `sendAtRate`.
// A request's latency counts from the time at which it should have been sent: a server that stalls cannot hide it.

/** What to send. */
export interface OpenLoad {
  readonly port: number
  readonly requests: readonly HttpRequest[]
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
  readonly connections: number
}

/** What came back. */
export interface OpenResult {
  readonly sent: number
  /** Responses below 400 that came while requests were sent. */
  readonly good: number
  /** 503 with Retry-After: the server says that it has too much to do. */
  readonly shed: number
  /** Other responses, and connections that ended without one. The rest came late, or was never sent. */
  readonly bad: number
  /** Of the good ones, in milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** A response that comes this long after the last request is still in time. */
const lateMs = 100
/** How long the rest is waited for. */
const graceMs = 5_000

process.on('message', async (load: OpenLoad) => process.send?.(await sendAtRate(load)))
process.on('disconnect', () => process.exit())

async function sendAtRate({ port, requests, rate, seconds, connections }: OpenLoad): Promise<OpenResult> {
  const wires = requests.map(wireOf)
  const total = Math.round(rate * seconds)
  const latencies: number[] = []
  const counts = { good: 0, shed: 0, bad: 0 }
  const idle: Socket[] = []
  const due: number[] = [] // when each request is to be sent
  let sent = 0
  let finished = 0
  const { promise: over, resolve: finish } = Promise.withResolvers<void>()

  function open(): void {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    let since: number | undefined
    let received = ''
    const next = () => {
      const at = due[sent]
      if (at === undefined) return void idle.push(socket)
      since = at
      socket.write(wires[sent++ % wires.length] as string)
    }
    const ended = (status: number, head: string) => {
      if (since === undefined) return
      if (status > 0 && status < 400) {
        if (performance.now() < started + seconds * 1000 + lateMs) counts.good += 1
        latencies.push(performance.now() - since)
      } else if (status === 503 && /\r\nretry-after:/i.test(head)) counts.shed += 1
      else counts.bad += 1
      since = undefined
      finished += 1
      if (finished === total) finish()
    }
    socket.setEncoding('latin1')
    socket.on('connect', next)
    socket.on('data', (text: string) => {
      received += text
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = received.slice(0, end)
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (received.length < end + 4 + length) return
      received = ''
      ended(Number(head.slice(9, 12)), head)
      if (/\r\nconnection: close/i.test(head)) socket.destroy()
      else next()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      ended(0, '')
      const place = idle.indexOf(socket)
      if (place >= 0) idle.splice(place, 1)
      if (finished < total) setTimeout(open, 10)
    })
    socket.on('next', next)
  }

  const started = performance.now() + 200
  for (let count = 0; count < connections; count++) open()
  let scheduled = 0
  const clock = setInterval(() => {
    const now = performance.now()
    for (; scheduled < total && started + (scheduled * 1000) / rate <= now; scheduled++)
      due.push(started + (scheduled * 1000) / rate)
    while (sent < due.length && idle.length > 0) idle.shift()?.emit('next') // in turn, so that none is idle until it is closed
    if (now > started + seconds * 1000 + graceMs) finish()
  }, 1)
  await over
  clearInterval(clock)
  finished = total // no connection is opened again
  for (const socket of idle) socket.destroy()
  latencies.sort((one, other) => one - other)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN
  return { sent: total, ...counts, p50: at(0.5), p99: at(0.99) }
}

function wireOf({ method, path, headers, body }: HttpRequest): string {
  const lines = Object.entries(sized({ host: '127.0.0.1', ...headers }, body)).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return [`${method} ${path} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n')
}
