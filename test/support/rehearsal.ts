import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { expect, inject } from 'vitest'
import { runBuild } from '#dev/rehearsal/build/run-build.ts'
import { copyTree } from '#dev/rehearsal/build/workspace.ts'
import { createProject } from '#dev/rehearsal/create-project.ts'
import type { Image } from '#dev/rehearsal/project/image.ts'
import { path } from '#dev/rehearsal/shell/programs.ts'
import { atEnd } from './at-end.ts'
import { stated } from './stated.ts'

type Options = NonNullable<Parameters<typeof runBuild>[1]>

/** The steps that take long. */
export const long = ['check', 'try', 'staging-acceptance', 'live-acceptance', 'live-accepted']

/** The steps that take long, and all that is about staging. */
export const exceptLive = [
  ...long,
  ...['settings', 'migrate', 'revision', 'tasks', 'traffic'].map((step) => `staging-${step}`),
  'live-contract',
]

/** All that the steps need, unless they build, or run tests. */
const upload = ['cloudbuild.yaml', 'deploy', 'openapi']

/**
 * A pretend project for the builds of a file, which ends with it.
 *
 * @param options.hasOwnServer whether it has a PostgreSQL server of its own, on which it may create users
 */
export async function rehearsal(options: { hasOwnServer?: boolean } = {}) {
  const shared = options.hasOwnServer ? {} : { serverUrl: inject('serverUrl') }
  const project = await createProject({ service: stated._SERVICE, region: stated._REGION, ...shared })
  atEnd(() => project.close())
  const live = 'runway-live'
  let seen = 0

  /** Runs a build. One that has not ended with its test says how far it came. */
  async function build(options: Options) {
    let [printed, isRunning] = ['', true]
    atEnd(() => isRunning && process.stderr.write(`A build did not end. It printed:\n${printed}`))
    const substitutions = { ...stated, ...options.substitutions }
    async function before(id: string): Promise<void> {
      printed += `${id} starts\n`
      await options.before?.(id)
    }
    const write = (id: string, text: string) => {
      printed += `${id}: ${text}`
    }
    return runBuild(project, { write, ...options, before, substitutions }).finally(() => {
      isRunning = false
    })
  }

  return {
    project,
    build,

    /** Puts an image where a build finds it. Returns its name. */
    push(image: Image): string {
      const digest = randomBytes(32).toString('hex')
      const name = `${stated._REGION}-docker.pkg.dev/${project.id}/${stated._REPOSITORY}/${stated._SERVICE}@sha256:${digest}`
      project.images.set(name, image)
      return name
    },

    /** A build of an image that was pushed before, without the steps that take long. */
    again(image: string, options: Options = {}) {
      const { without = long } = options
      const isTested = !['staging-acceptance', 'live-acceptance'].every((step) => without.includes(step))
      const substitutions = { ...options.substitutions, _IMAGE: image }
      return build({ without, ...(!isTested && { upload }), ...options, substitutions })
    },

    /** The revisions that have traffic, such as `['runway-live-1=100']`. */
    serving(name = live): string[] {
      const traffic = project.services.get(name)?.traffic ?? []
      return traffic.flatMap((target) => (target.percent ? `${target.revisionName}=${target.percent}` : []))
    },

    /** The tags of the revisions of live. */
    tags: () => project.services.get(live)?.traffic.flatMap(({ tag }) => tag ?? []),

    /** What a service says about its version at its public URL. */
    async version(name = live): Promise<Record<string, string>> {
      const response = await fetch(`${project.services.get(name)?.url}/version`)
      expect(response.status).toBe(200)
      return (await response.json()) as Record<string, string>
    },

    /** The name of the image that a service was last deployed with. */
    image: (name = live) => project.services.get(name)?.revisions.at(-1)?.image ?? '',

    /** What was changed since the last call, such as `run deploy runway-live`. */
    changes(): string[] {
      const fresh = project.commands.slice(seen)
      seen += fresh.length
      const lines = fresh.map((args) => args.join(' ').replace(/ -.*/s, ''))
      return lines.filter((line) => !/ (list|describe)\b|^beta /.test(line))
    },

    /** Runs a script of deploy/, as a person does. */
    async script(file: string, ...args: string[]): Promise<string> {
      const { _SERVICE: SERVICE, _REGION: REGION } = stated
      const own = { PROJECT_ID: project.id, SERVICE, REGION }
      const env = { PATH: `${project.programs}:${path}`, ...own, ...project.variables }
      const cwd = await copyTree(project.folder, upload)
      return (await promisify(execFile)('bash', [file, ...args], { cwd, env })).stdout
    },

    /** Calls the pretend gcloud, as a person does. */
    async gcloud(...args: string[]): Promise<string> {
      const given = ['--project', project.id, '--region', project.region]
      return (await promisify(execFile)(`${project.programs}/gcloud`, [...args, ...given])).stdout
    },
  }
}

/** The steps of a build that did not end well: `{ check: 'left out' }`. A failure shows its output. */
export function otherThanOk({ steps }: Awaited<ReturnType<typeof runBuild>>): Record<string, string> {
  return Object.fromEntries(
    steps
      .filter(({ result }) => result !== 'ok')
      .map(({ id, result, output }) => [id, result === 'failed' ? `failed: ${output}` : result]),
  )
}

/** The step that ended the build, and what it printed. Throws if none failed, or several did. */
export function complaint({ steps }: Awaited<ReturnType<typeof runBuild>>): string {
  const failed = steps.filter(({ id, result }) => result === 'failed' && id !== 'live-acceptance')
  expect(failed).toHaveLength(1)
  return `${failed[0]?.id}: ${failed[0]?.output}`
}
