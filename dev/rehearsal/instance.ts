import { answers } from '../answers.ts'
import { freePort } from '../ports.ts'
import type { Environment } from '../settings.ts'
import { startGroup } from './group.ts'
import type { Image } from './images.ts'
import { pairs } from './pairs.ts'
import { Refusal } from './stand-ins.ts'

/**
 * Starts the real bundle of an image, in a process of its own.
 *
 * @param probe what --startup-probe says: `httpGet.path=/ping,periodSeconds=1,failureThreshold=60`
 * @returns its port, once the probe has been answered
 * @throws {Refusal} if it is not, with what the instance said
 */
export async function startInstance(image: Image, environment: Environment, probe: string): Promise<number> {
  const { 'httpGet.path': path, periodSeconds = '10', failureThreshold = '3' } = pairs(probe.split(','))
  const port = await freePort()
  const env = { ...image.environment, ...environment, PORT: `${port}` }
  const group = startGroup(['node', 'dist/main.js'], { cwd: image.folder, env })
  const ended = new AbortController()
  group.exit.then(() => ended.abort())
  const late = AbortSignal.timeout(Number(periodSeconds) * Number(failureThreshold) * 1000)
  try {
    await answers(`http://127.0.0.1:${port}${path}`, AbortSignal.any([ended.signal, late]))
    return port
  } catch {
    await group.stop()
    throw new Refusal(`The container failed to start and listen on PORT=${port}. Its log:\n${group.output}`)
  }
}
