import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../machine/ports.ts'
import type { Fault, Project } from '../project/project.ts'
import { startGroup } from '../shell/group.ts'
import { pairs } from '../shell/pairs.ts'
import { path } from '../shell/programs.ts'
import { readBuildFile, type Step } from './build-file.ts'
import { runSteps, type StepResult } from './steps.ts'
import { copyTree } from './workspace.ts'

/** What a build can be broken by. */
export const breaks: Readonly<Record<string, Fault>> = {
  'staging-acceptance': (host, { url }) => host.endsWith('-staging') && url === '/auth/version',
  'live-smoke': (host, { url }) => /---.*-live$/.test(host) && url === '/openapi.json',
  migrate: () => false, // jobs may not write
}

interface BuildOptions {
  /** What `gcloud builds submit --substitutions` says. */
  substitutions?: Record<string, string>
  /** Steps to leave out. */
  without?: readonly string[]
  /** The files and folders to upload; all if absent. */
  upload?: readonly string[]
  /** One of `breaks`. */
  broken?: string | undefined
  signal?: AbortSignal
  /** Gets what the steps print, line by line. */
  write?: (id: string, text: string) => void
  /** Called before a step starts. */
  before?: (id: string) => Promise<unknown>
}

/** Runs cloudbuild.yaml on a project, as `gcloud builds submit` does. @throws what Cloud Build says of the file */
export async function runBuild(project: Project, options: BuildOptions = {}) {
  const { write, before, broken = '', signal = new AbortController().signal } = options
  const id = randomUUID()
  const folder = await copyTree(project.folder, options.upload)
  const builtIn = { PROJECT_ID: project.id, PROJECT_NUMBER: project.number, LOCATION: 'global', BUILD_ID: id }
  const text = await readFile(join(folder, 'cloudbuild.yaml'), 'utf8')
  const file = readBuildFile(text, builtIn, options.substitutions)
  const secrets = file.availableSecrets.secretManager.map(({ versionName, env }): [string, string] => {
    const [, , , name = '', , version = ''] = versionName.split('/')
    return [env, project.secret(name, version)]
  })
  const base = {
    ...project.variables,
    PATH: `${project.programs}:${path}`,
    HOME: process.env.HOME ?? folder,
    TRY_PORT: `${await freePort()}`,
    TRY_TASKS_PORT: `${await freePort()}`,
    TRY_DATABASE_PORT: project.databasePort,
  }

  async function run(step: Step, signal: AbortSignal) {
    await before?.(step.id)
    const given = Object.fromEntries(secrets.filter(([name]) => step.secretEnv.includes(name)))
    const env = { ...base, ...pairs(step.env), ...given }
    const line = (text: string) => write?.(step.id, text)
    const group = startGroup([step.entrypoint, ...step.args], { cwd: folder, env, write: line, signal })
    return { status: await group.exit, output: group.output }
  }

  project.fault = breaks[broken] ?? project.fault
  project.migrationsFail = broken === 'migrate'
  const until = AbortSignal.any([signal, AbortSignal.timeout(file.timeout * 1000)])
  project.going.add(id)
  const steps: StepResult[] = await runSteps(file.steps, run, { ...options, signal: until })
  project.going.delete(id)
  await rm(folder, { recursive: true, force: true })
  const mayFail = new Set(file.steps.flatMap(({ id, allowFailure }) => (allowFailure ? [id] : [])))
  const isFine = ({ id, result }: StepResult) =>
    result === 'ok' || result === 'left out' || (result === 'failed' && mayFail.has(id))
  return { id, steps, ok: steps.every(isFine) }
}
