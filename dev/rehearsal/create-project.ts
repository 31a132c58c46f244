import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { createEmulator } from '../cloud-tasks/emulator.ts'
import type { listen } from '../machine/serve.ts'
import { startPostgres } from '../postgres/start.ts'
import { docker } from './docker/docker.ts'
import { createApi } from './google/api.ts'
import { createFront } from './google/front.ts'
import { gcloud } from './google/gcloud.ts'
import type { Project } from './project/project.ts'
import { stopGroups } from './shell/group.ts'
import { createPrograms, Refusal } from './shell/programs.ts'

const environments = ['staging', 'live']

/**
 * Creates a project.
 *
 * @param options.service the name of the service, without its environment
 * @param options.serverUrl a PostgreSQL server for its databases; one of its own if absent
 */
export async function createProject(options: {
  service: string
  region: string
  serverUrl?: string
}): Promise<Project> {
  const { service, region, serverUrl } = options
  const [id, number] = ['rehearsal', '123456789']
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'))
  const server = serverUrl ? { url: serverUrl, stop: async () => {} } : await startPostgres()
  const suffix = randomBytes(4).toString('hex') // others may use the server as well
  const databases = environments.map((environment) => `${environment}_${suffix}`)
  const fronts = new Map<string, Awaited<ReturnType<typeof listen>>>()
  const variables: Record<string, string> = {}

  const project: Project = {
    ...{ id, number, region, folder, variables, emulator: await createEmulator() },
    databasePort: /:(\d+)\/[^/]*$/.exec(server.url)?.[1] ?? '5432',
    services: new Map(),
    images: new Map(),
    containers: new Map(),
    schedulerJobs: new Map(),
    monitoring: { metrics: new Map(), policies: new Map(), dashboards: new Map(), channels: new Map() },
    secrets: await createSecrets(service, (environment) => urlOf(`${environment}_${suffix}`)),
    accounts: environments.map((name) => `${service}-${name}@${id}.iam.gserviceaccount.com`),
    commands: [],
    fault: () => false,
    token: randomBytes(16).toString('hex'),
    beforeReplace: undefined,
    going: new Set(),
    mute: undefined,
    migrationsFail: false,
    programs: join(folder, 'programs'),

    secret(name, version) {
      const value = project.secrets.get(name)?.at(version === 'latest' ? -1 : Number(version) - 1)
      if (value === undefined) throw new Refusal(`Secret ${name}/versions/${version} was not found`)
      return value
    },

    async front(host) {
      const front = fronts.get(host) ?? (await createFront(project, host))
      fronts.set(host, front)
      return front.url
    },

    resolve(text) {
      const name = new RegExp(`(https://)?([a-z0-9-]+)-${number}\\.${region}\\.run\\.app`, 'g')
      return text.replace(name, (found, scheme, host) => {
        const url = fronts.get(host)?.url ?? found
        return scheme ? url : url.replace('http://', '')
      })
    },

    async sql(...statements) {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      for (const statement of statements) await client.query(statement)
      await client.end()
    },

    async close() {
      await stopGroups() // what the last calls wait for
      await endPrograms()
      await stopGroups() // what they have started
      await Promise.all([...fronts.values()].map((front) => front.close()))
      await project.sql(...databases.map((name) => `drop database ${name} with (force)`))
      await Promise.all([api.close(), project.emulator.close(), server.stop()])
      await rm(folder, { recursive: true })
    },
  }

  /** The URL of a database on the server. */
  function urlOf(name: string): string {
    return server.url.replace(/\/[^/?]*(\?|$)/, `/${name}$1`)
  }

  await project.sql(...databases.map((name) => `create database ${name}`))
  const api = await createApi(project)
  variables.RUN_API = api.url
  const tools = { docker: docker(project), gcloud: gcloud(project) }
  const endPrograms = await createPrograms(project.programs, tools)
  return project
}

/** A value for each secret that a deploy reads. @param databaseUrl the URL of an environment's database */
async function createSecrets(service: string, databaseUrl: (environment: string) => string) {
  const secrets = new Map<string, string[]>()
  for (const environment of environments) {
    const random = randomBytes(48).toString('base64')
    const variables = await readFile(`deploy/environments/${environment}.env`, 'utf8')
    const listed = variables.matchAll(/^[A-Z0-9_]+=secret:(.+)$/gm)
    const values: Record<string, string> = {
      ...Object.fromEntries(Array.from(listed, ([, name]) => [name, random])),
      'database-url': databaseUrl(environment),
      'auth-secret': random,
      'test-token': 'none',
    }
    for (const [name, value] of Object.entries(values))
      secrets.set(`${service}-${environment}-${name}`, [value])
  }
  return secrets
}
