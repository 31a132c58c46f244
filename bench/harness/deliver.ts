import { Agent, request } from 'node:http'

// Delivers tasks as Cloud Tasks does: one request for each, with Google's token. It runs in a process of its own.

/** How often a delivery is sent, if the service says 503: Cloud Tasks sends it again as well. */
const mostTries = 10

/** What to deliver. */
export interface Deliveries {
  readonly port: number
  /** The task's name. */
  readonly name: string
  readonly ids: readonly string[]
  readonly authorization: string
  readonly connections: number
}

process.on('message', async ({ port, name, ids, authorization, connections }: Deliveries) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const waiting = [...ids].reverse()
  const started = performance.now()
  let failure = ''

  async function worker(): Promise<void> {
    for (let id = waiting.pop(); id !== undefined && !failure; id = waiting.pop()) await deliver(id)
  }

  function deliver(id: string, tries = 1): Promise<void> {
    const body = JSON.stringify({ id, dispatch: 1 })
    const headers = {
      ...{ authorization, 'content-type': 'application/json', 'content-length': body.length },
      ...{ 'user-agent': 'Google-Cloud-Tasks', 'x-forwarded-proto': 'https', 'x-cloudtasks-taskname': id },
    }
    const path = `/runtime/callbacks/${name}`
    return new Promise((resolve) => {
      const call = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
        const again = response.statusCode === 503 && tries < mostTries
        if (response.statusCode !== 200 && !again) failure = `a delivery got ${response.statusCode}`
        response.resume()
        response.on('end', () =>
          again ? setTimeout(() => deliver(id, tries + 1).then(resolve), 100) : resolve(),
        )
      })
      call.on('error', (error) => {
        failure = error.message
        resolve()
      })
      call.end(body)
    })
  }

  await Promise.all(Array.from({ length: connections }, worker))
  process.send?.({ ms: performance.now() - started, failure })
  agent.destroy()
})
process.on('disconnect', () => process.exit())
