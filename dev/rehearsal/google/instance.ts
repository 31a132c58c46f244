import { freePort } from '../../machine/ports.ts'
import type { Environment } from '../../machine/settings.ts'
import { waitForResponse } from '../../machine/wait-for-response.ts'
import type { Image } from '../project/image.ts'
import { pairs } from '../shell/pairs.ts'
import { Refusal } from '../shell/programs.ts'

/** What a revision says of its instances. */
interface Settings {
  /** What --startup-probe says: `httpGet.path=/ping,periodSeconds=1,failureThreshold=60`. Without one, any response will do. */
  readonly probe?: string | undefined
  /** The command line; the image's own if absent. */
  readonly line?: readonly string[] | undefined
}

/**
 * Starts an instance of a service, and waits until it passes its startup probe.
 *
 * @returns its port, and what stops it
 * @throws {Refusal} with the log of the service, if the probe fails
 */
export async function startInstance(image: Image, environment: Environment, { probe = '', line }: Settings) {
  const { 'httpGet.path': path, periodSeconds = '10', failureThreshold = '3' } = pairs(probe.split(','))
  const port = await freePort()
  const running = image.start({ ...environment, PORT: `${port}` }, line)
  const ended = new AbortController()
  running.exit.then(() => ended.abort())
  const late = AbortSignal.timeout(Number(periodSeconds) * Number(failureThreshold) * 1000)
  try {
    const until = AbortSignal.any([ended.signal, late])
    await waitForResponse(`http://127.0.0.1:${port}${path ?? ''}`, until, path ? undefined : () => true)
    return { port, stop: () => running.stop() }
  } catch {
    await running.stop()
    throw new Refusal(`The container failed to start and listen on PORT=${port}. Its log:\n${running.output}`)
  }
}
