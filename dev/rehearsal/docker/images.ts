import { cp, mkdtemp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../machine/ports.ts'
import type { Environment } from '../../machine/settings.ts'
import { waitForResponse } from '../../machine/wait-for-response.ts'
import { runGroup, startGroup } from '../shell/group.ts'
import { pairs } from '../shell/pairs.ts'
import { path, Refusal } from '../shell/programs.ts'

/** The folder that an image's processes run in, and what they have in their environment at least. */
export interface Image {
  readonly folder: string
  readonly environment: Environment
}

/**
 * Bundles what .dockerignore lets pass, which is what its lines with a `!` name.
 *
 * @param context the folder to take it from
 * @param parent where the image's folder is made
 * @param args of the Dockerfile's, VERSION and COMMIT, which become variables
 */
export async function buildImage(context: string, parent: string, args: Environment): Promise<Image> {
  const folder = await mkdtemp(join(parent, 'image-'))
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
  for (const file of lines.flatMap((line) => (line.startsWith('!') ? line.slice(1) : [])))
    await cp(join(context, file), join(folder, file), { recursive: true })
  await symlink(join(context, 'node_modules'), join(folder, 'node_modules'))
  await runGroup(['node', 'build.ts'], { cwd: folder, env: { PATH: path } })
  const { VERSION = '', COMMIT = '' } = args
  return { folder, environment: { PATH: path, NODE_ENV: 'production', VERSION, COMMIT } }
}

/**
 * Starts an image's service.
 *
 * @param given.probe what --startup-probe says: `httpGet.path=/ping,periodSeconds=1,failureThreshold=60`; that it
 * waitForResponse anything, if absent
 * @param given.line the command line; the image's own if absent
 * @returns its port, and what stops it, once the probe has been answered
 * @throws {Refusal} if it is not, with what the service said
 */
export async function startImage(
  image: Image,
  environment: Environment,
  given: { probe?: string | undefined; line?: string[] | undefined },
) {
  const { probe = '', line = ['node', 'dist/main.js'] } = given
  const { 'httpGet.path': path, periodSeconds = '10', failureThreshold = '3' } = pairs(probe.split(','))
  const port = await freePort()
  const env = { ...image.environment, ...environment, PORT: `${port}` }
  const group = startGroup(line, { cwd: image.folder, env })
  const ended = new AbortController()
  group.exit.then(() => ended.abort())
  const late = AbortSignal.timeout(Number(periodSeconds) * Number(failureThreshold) * 1000)
  try {
    const until = AbortSignal.any([ended.signal, late])
    await waitForResponse(`http://127.0.0.1:${port}${path ?? ''}`, until, path ? undefined : () => true)
    return { port, stop: () => group.stop() }
  } catch {
    await group.stop()
    throw new Refusal(`The container failed to start and listen on PORT=${port}. Its log:\n${group.output}`)
  }
}
