import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../ports.ts'
import type { Environment } from '../settings.ts'
import { startGroup } from './group.ts'
import type { Image } from './images.ts'
import { pairs } from './pairs.ts'

/** The one instance of a revision: runs while somebody needs it. */
export interface Instance {
  /** Its port, once its startup probe has been answered. @throws if it is not, with what the instance said */
  port(): Promise<number>
  stop(): Promise<void>
}

/**
 * The real bundle of an image, in a process of its own.
 *
 * @param probe what --startup-probe says: `httpGet.path=/ping,periodSeconds=1,failureThreshold=60`
 */
export function createInstance(image: Image, environment: Environment, probe: string): Instance {
  const { 'httpGet.path': path, periodSeconds = '10', failureThreshold = '3' } = pairs(probe.split(','))
  let running: ReturnType<typeof start> | undefined

  async function start() {
    const port = await freePort()
    const env = { ...image.environment, ...environment, PORT: `${port}` }
    const group = startGroup(['node', 'dist/main.js'], { cwd: image.folder, env })
    const ended = group.exit.then(() => true)
    const end = performance.now() + Number(periodSeconds) * Number(failureThreshold) * 1000
    while (performance.now() < end && !(await Promise.race([ended, wait(20)]))) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
      if (answer?.ok) return { port, stop: group.stop }
    }
    await group.stop()
    throw new Error(`The container failed to start and listen on PORT=${port}. Its log:\n${group.output}`)
  }

  return {
    async port() {
      running ??= start()
      return (await running).port
    },
    async stop() {
      const started = await running?.catch(() => undefined)
      running = undefined
      await started?.stop()
    },
  }
}
