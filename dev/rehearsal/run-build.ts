import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { readBuildFile, type Step } from './build-file.ts'
import type { Fault } from './front.ts'
import { path, startGroup } from './group.ts'
import type { Project } from './project.ts'
import { runSteps, type StepResult } from './steps.ts'
import { copyTree } from './workspace.ts'

/** What breaks, for real. */
export type Break = 'staging-acceptance' | 'live-smoke' | 'migrate'

const faults: Record<Break, Fault> = {
  'staging-acceptance': (host, { method, url }) =>
    host.endsWith('-staging') && `${method} ${url}` === 'POST /orders',
  'live-smoke': (host, { url }) => /---.*-live$/.test(host) && url === '/openapi.json',
  migrate: () => false, // the image brings it
}

interface BuildOptions {
  /** As of `gcloud builds submit --substitutions`. */
  substitutions?: Record<string, string>
  /** Steps to leave out. */
  without?: readonly string[]
  breaks?: Break | undefined
  signal?: AbortSignal
  /** Gets what the steps print, as it comes. */
  write?: (id: string, text: string) => void
  /** Done before a step begins. */
  before?: (id: string) => Promise<unknown> | undefined
}

/** Runs cloudbuild.yaml on a project, as `gcloud builds submit` would. @throws what Cloud Build would say of the file */
export async function runBuild(project: Project, options: BuildOptions = {}) {
  const { write = () => {}, before = async () => {} } = options
  const id = randomUUID()
  const workspace = await copyTree(project.folder)
  const builtIn = { PROJECT_ID: project.id, PROJECT_NUMBER: project.number, LOCATION: 'global', BUILD_ID: id }
  const text = await readFile(join(workspace, 'cloudbuild.yaml'), 'utf8')
  const file = readBuildFile(text, builtIn, options.substitutions)
  const secrets = (file.availableSecrets?.secretManager ?? []).map(
    ({ versionName, env }): [string, string] => {
      const [, name = '', version = ''] = versionName.match(/\/secrets\/(.+)\/versions\/(.+)$/) ?? []
      const value = project.secret(name, version)
      if (value === undefined)
        throw new Error(`failed to access secret version for secret ${versionName}: NOT_FOUND`)
      return [env, value]
    },
  )
  const base = {
    PATH: `${project.programs}:${path}`,
    HOME: process.env.HOME ?? workspace,
    TRY_PORT: `${await freePort()}`,
    TRY_TASKS_PORT: `${await freePort()}`,
    TRY_DATABASE_PORT: project.databasePort,
  }

  async function run(step: Step, signal: AbortSignal) {
    await before(step.id)
    const own = [...(file.options.env ?? []), ...step.env].map((pair) => pair.split(/=(.*)/s).slice(0, 2))
    const given = secrets.filter(([name]) => step.secretEnv.includes(name))
    const env = { ...base, ...Object.fromEntries([...own, ...given]) }
    const options = { cwd: workspace, env, write: (text: string) => write(step.id, text), signal }
    const group = startGroup([step.entrypoint, ...step.args], options)
    return { status: await group.exit, output: group.output }
  }

  if (options.breaks) project.fault = faults[options.breaks]
  project.failingMigration = options.breaks === 'migrate'
  try {
    const late = AbortSignal.timeout(file.timeout * 1000)
    const signal = options.signal ? AbortSignal.any([late, options.signal]) : late
    const steps: StepResult[] = await runSteps(file.steps, run, { ...options, signal })
    return { id, steps, ok: steps.every(({ result }) => result === 'ok' || result === 'left out') }
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
}
