import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../ports.ts'
import type { Environment } from '../settings.ts'
import { type Group, startGroup } from './group.ts'
import type { Image } from './images.ts'

/** The one instance of a revision: runs while somebody needs it. */
export interface Instance {
  /** Its port, once its startup probe has been answered. @throws if it is not, with what it said */
  port(): Promise<number>
  stop(): Promise<unknown>
}

/**
 * The real bundle of an image, in a process of its own.
 *
 * @param probe what --startup-probe says: `httpGet.path=/ping,periodSeconds=1,failureThreshold=60`
 */
export function createInstance(image: Image, environment: Environment, probe: string): Instance {
  const settings = Object.fromEntries(probe.split(',').map((pair) => pair.split('=')))
  const { 'httpGet.path': path, periodSeconds = 10, failureThreshold = 3 } = settings
  let running: Promise<{ port: number; group: Group }> | undefined

  async function start() {
    const port = await freePort()
    const env = { ...image.environment, ...environment, PORT: `${port}` }
    const group = startGroup(['node', 'dist/main.js'], { cwd: image.folder, env })
    let ended = false
    void group.exit.then(() => {
      ended = true
    })
    const end = performance.now() + periodSeconds * failureThreshold * 1000
    while (!ended && performance.now() < end) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
      if (answer?.ok) return { port, group }
      await wait(20)
    }
    running = undefined
    await group.stop()
    throw new Error(`The container failed to start and listen on PORT=${port}. Its log:\n${group.output}`)
  }

  return {
    async port() {
      running ??= start()
      return (await running).port
    },
    async stop() {
      const stopping = running
      running = undefined
      await stopping?.then(
        ({ group }) => group.stop(),
        () => {},
      )
    },
  }
}
