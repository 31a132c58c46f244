import { Agent, createServer, request } from 'node:http'

// In place of Google's Cloud Tasks: accepts tasks, and delivers each of them at once, 24 at a time. It runs in a process of its
// own, whose CPU time counts for no contestant.

/** How often a delivery is sent, if the service says 503. */
const mostTries = 10

/** Where to deliver, and how many deliveries are waited for. */
export interface Expected {
  readonly port: number
  readonly authorization: string
  readonly count: number
  readonly connections: number
}

interface Call {
  readonly path: string
  readonly body: Buffer
}

let expected: Expected | undefined
let agent = new Agent()
let delivered = 0
let failure = ''
let active = 0
let waiting: Call[] = []

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk) => chunks.push(chunk))
  incoming.on('end', () => {
    const { task } = JSON.parse(Buffer.concat(chunks).toString())
    const { url, body } = task.httpRequest
    waiting.push({ path: new URL(url).pathname, body: Buffer.from(body, 'base64') })
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ name: task.name }))
    deliverMore()
  })
})

function deliverMore(): void {
  while (expected && active < expected.connections) {
    const call = waiting.shift()
    if (!call) return
    active += 1
    deliver(expected, call)
  }
}

function deliver(to: Expected, { path, body }: Call, tries = 1): void {
  const { port, authorization } = to
  const headers = {
    ...{ authorization, 'content-type': 'application/json', 'content-length': body.length },
    ...{ 'user-agent': 'Google-Cloud-Tasks', 'x-forwarded-proto': 'https' },
  }
  const end = (problem?: string) => {
    active -= 1
    delivered += 1
    failure ||= problem ?? ''
    if (delivered === expected?.count || failure) report()
    deliverMore()
  }
  const call = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
    response.resume()
    response.on('end', () => {
      const { statusCode } = response
      if (statusCode === 503 && tries < mostTries) setTimeout(deliver, 100, to, { path, body }, tries + 1)
      else end(statusCode === 200 ? undefined : `a delivery got ${statusCode}`)
    })
  })
  call.on('error', (error) => end(error.message))
  call.end(body)
}

function report(): void {
  if (!expected) return
  process.send?.({ failure })
  expected = undefined
}

process.on('message', (next: Expected) => {
  agent.destroy()
  agent = new Agent({ keepAlive: true, maxSockets: next.connections })
  expected = next
  delivered = 0
  failure = ''
  waiting = []
  deliverMore()
})
process.on('disconnect', () => process.exit())
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' ? address?.port : undefined)
})
