import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { runBuild } from '#dev/rehearsal/build/run-build.ts'
import { copyTree } from '#dev/rehearsal/build/workspace.ts'
import { createProject } from '#dev/rehearsal/project.ts'
import { path } from '#dev/rehearsal/shell/programs.ts'
import { atEnd } from './at-end.ts'
import { stated } from './stated.ts'

type Options = NonNullable<Parameters<typeof runBuild>[1]>

/** Steps that many tests are not about, and that take long. */
export const long = ['check', 'try', 'staging-acceptance', 'live-acceptance', 'live-accepted']

/** A pretend project for the builds of a file, which ends with it. */
export async function rehearsal() {
  const project = await createProject(stated._SERVICE, stated._REGION)
  atEnd(() => project.close())
  const live = 'runway-live'
  let seen = 0
  const build = (options: Options) =>
    runBuild(project, { ...options, substitutions: { ...stated, ...options.substitutions } })

  return {
    project,
    build,

    /** A build of an image that was pushed before. */
    again: (image: string, options: Options = {}) =>
      build({ without: long, ...options, substitutions: { ...options.substitutions, _IMAGE: image } }),

    /** The revisions of live that have traffic, such as `['runway-live-1=100']`. */
    serving(name = live): string[] {
      const traffic = project.services.get(name)?.traffic ?? []
      return traffic.flatMap((target) => (target.percent ? `${target.revisionName}=${target.percent}` : []))
    },

    /** What a service's public URL says of its version. */
    async version(name = live): Promise<Record<string, string>> {
      const response = await fetch(`${project.services.get(name)?.url}/version`)
      expect(response.status).toBe(200)
      return (await response.json()) as Record<string, string>
    },

    /** The name of the image that a service was last deployed with. */
    image: (name = live) => project.services.get(name)?.revisions.at(-1)?.image ?? '',

    /** What was changed since the last time, such as `run deploy runway-live`. */
    changes(): string[] {
      const fresh = project.commands.slice(seen)
      seen += fresh.length
      const lines = fresh.map((args) => args.join(' ').replace(/ -.*/s, ''))
      return lines.filter((line) => !/ (list|describe)\b|^beta /.test(line))
    },

    /** Runs a script of deploy/, as a person would. */
    async script(file: string, ...args: string[]): Promise<string> {
      const { _SERVICE: SERVICE, _REGION: REGION } = stated
      const own = { PROJECT_ID: project.id, SERVICE, REGION }
      const env = { PATH: `${project.programs}:${path}`, ...own, ...project.variables }
      const cwd = await copyTree(project.folder)
      return (await promisify(execFile)('bash', [file, ...args], { cwd, env })).stdout
    },

    /** Calls the pretend gcloud, as a person would. */
    async gcloud(...args: string[]): Promise<string> {
      const given = ['--project', project.id, '--region', project.region]
      return (await promisify(execFile)(`${project.programs}/gcloud`, [...args, ...given])).stdout
    },
  }
}

/** What became of a build's steps, without those that ended well: `{ check: 'left out' }`. A failure shows its output. */
export function otherThanOk({ steps }: Awaited<ReturnType<typeof runBuild>>): Record<string, string> {
  return Object.fromEntries(
    steps
      .filter(({ result }) => result !== 'ok')
      .map(({ id, result, output }) => [id, result === 'failed' ? `failed: ${output}` : result]),
  )
}

/** What the step that ended the build has printed; throws if none, or several did. */
export function complaint({ steps }: Awaited<ReturnType<typeof runBuild>>): string {
  const failed = steps.filter(({ id, result }) => result === 'failed' && id !== 'live-acceptance')
  expect(failed).toHaveLength(1)
  return `${failed[0]?.id}: ${failed[0]?.output}`
}
