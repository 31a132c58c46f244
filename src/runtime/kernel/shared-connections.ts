import { AsyncLocalStorage } from 'node:async_hooks'
import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'

/** Opens a connection that belongs to no request: others may use it when the one that opened it is over. */
const outsideRequests = AsyncLocalStorage.snapshot()

const agents: Agent[] = []
let holders = 0

/**
 * Keeps connections to other services open until the returned function is called. Each request does so while it runs.
 * When the last one ends, the idle connections are closed: the processor may stand still from then on, and nobody would
 * notice that the other side has closed them.
 *
 * @returns call it when the request is over. Further calls do nothing
 */
export function holdConnections(): () => void {
  let held = true
  holders++
  return () => {
    if (!held) return
    held = false
    if (--holders === 0) closeIdle()
  }
}

/**
 * Lets all requests that run share the connections of an agent. A connection that becomes free when no request runs is
 * closed.
 *
 * @param agent with `keepAlive`
 */
export function shareConnections<Shared extends Agent>(agent: Shared): Shared {
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (...args) => outsideRequests(() => connect(...args))
  // by its documentation it returns whether the socket is kept, which its type does not say
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean
  agent.keepSocketAlive = (socket) => holders > 0 && keep(socket)
  agents.push(agent)
  return agent
}

function closeIdle(): void {
  for (const { freeSockets } of agents) {
    for (const socket of Object.values(freeSockets).flat()) socket?.destroy()
  }
}
