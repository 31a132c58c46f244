import { Agent, request } from 'node:http'

// Delivers tasks as Cloud Tasks does: one request for each, with Google's token. It runs in a process of its own.

/** What to deliver. */
export interface Deliveries {
  readonly port: number
  readonly ids: readonly string[]
  readonly authorization: string
  readonly connections: number
}

process.on('message', async ({ port, ids, authorization, connections }: Deliveries) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const waiting = [...ids].reverse()
  const started = performance.now()
  let failure = ''

  async function worker(): Promise<void> {
    for (let id = waiting.pop(); id !== undefined && !failure; id = waiting.pop()) await deliver(id)
  }

  function deliver(id: string): Promise<void> {
    const body = JSON.stringify({ id, dispatch: 1 })
    const headers = {
      ...{ authorization, 'content-type': 'application/json', 'content-length': body.length },
      ...{ 'user-agent': 'Google-Cloud-Tasks', 'x-forwarded-proto': 'https', 'x-cloudtasks-taskname': id },
    }
    const path = '/runtime/callbacks/orders.fulfil'
    return new Promise((resolve) => {
      const call = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
        if (response.statusCode !== 200) failure = `a delivery got ${response.statusCode}`
        response.resume()
        response.on('end', resolve)
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
