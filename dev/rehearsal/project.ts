import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { createEmulator } from '../cloud-tasks/emulator.ts'
import type { listen } from '../machine/serve.ts'
import { startPostgres } from '../postgres/start.ts'
import { docker } from './docker/docker.ts'
import type { Image } from './docker/images.ts'
import { createApi } from './google/api.ts'
import type { Flags } from './google/format.ts'
import { createFront, type Fault } from './google/front.ts'
import { gcloud } from './google/gcloud.ts'
import type { Service } from './google/services.ts'
import { stopGroups } from './shell/group.ts'
import { createStandIns, Refusal } from './shell/programs.ts'

/** A pretend project of Google's, as deploy/setup would leave it: accounts, secrets, databases, nothing deployed. */
export type Project = Awaited<ReturnType<typeof createProject>>

/** Makes a project, to be closed at the end. */
export async function createProject(service: string, region: string) {
  const [id, number] = ['rehearsal', '123456789']
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'))
  const server = await startPostgres()
  const emulator = await createEmulator()
  const fronts = new Map<string, Awaited<ReturnType<typeof listen>>>()

  const project = {
    ...{ id, number, region, folder, emulator },
    databasePort: new URL(server.url).port,
    services: new Map<string, Service>(),
    /** By tag, and, where they were pushed, by digest. */
    images: new Map<string, Image>(),
    /** Docker's, by name. */
    containers: new Map<string, { output: string; stop(): Promise<void> }>(),
    /** Cloud Scheduler's, each with the status of its first call. */
    schedulerJobs: new Map<string, Flags>(),
    /** The values of each secret, by its name; a version is a place among them, from 1. */
    secrets: new Map<string, string[]>(),
    accounts: ['staging', 'live'].map((name) => `${service}-${name}@${id}.iam.gserviceaccount.com`),
    /** What gcloud was called with, each time. */
    commands: [] as string[][],
    /** Which requests Google's front end answers with 500. */
    fault: (() => false) as Fault,
    /** What a person's or an account's token is. */
    token: randomBytes(16).toString('hex'),
    /** Done before Cloud Run's API replaces a service. */
    beforeReplace: undefined as ((name: string) => unknown) | undefined,
    /** The ids of the builds that go on. */
    going: new Set<string>(),
    /** What the scripts find in their environment beside their variables. */
    variables: {} as Record<string, string>,
    /** The gcloud command, such as `run services list`, that Google does not answer. */
    mute: undefined as string | undefined,
    /** Whether the databases refuse what jobs write. */
    migrationsFail: false,
    /** What is to be the first folder of a PATH. */
    programs: join(folder, 'programs'),

    /** The value of a secret's version, or of its `latest`. @throws {Refusal} if there is none */
    secret(name: string, version: string): string {
      const value = project.secrets.get(name)?.at(version === 'latest' ? -1 : Number(version) - 1)
      if (value === undefined) throw new Refusal(`Secret ${name}/versions/${version} was not found`)
      return value
    },

    /** The URL here of a host of Cloud Run's: `runway-live`, or `tag---runway-live`. */
    async front(host: string): Promise<string> {
      const front = fronts.get(host) ?? (await createFront(project, host))
      fronts.set(host, front)
      return front.url
    },

    /** Replaces run.app's names by what they resolve to, as DNS would. */
    resolve(text: string): string {
      const name = new RegExp(`(https://)?([a-z0-9-]+)-${number}\\.${region}\\.run\\.app`, 'g')
      return text.replace(name, (found, scheme, host) => {
        const url = fronts.get(host)?.url ?? found
        return scheme ? url : url.replace('http://', '')
      })
    },

    /** Runs statements on the database server, as its superuser. */
    async sql(...statements: string[]): Promise<void> {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      for (const statement of statements) await client.query(statement)
      await client.end()
    },

    /** Ends all that runs, and leaves nothing behind. */
    async close(): Promise<void> {
      await stopGroups() // what the last calls wait for
      await endStandIns()
      await stopGroups() // what they have started
      await Promise.all([...fronts.values()].map((front) => front.close()))
      await Promise.all([api.close(), emulator.close(), server.stop()])
      await rm(folder, { recursive: true })
    },
  }

  const api = await createApi(project)
  project.variables = { RUN_API: api.url }
  const endStandIns = await createStandIns(project.programs, {
    docker: docker(project),
    gcloud: gcloud(project),
  })
  for (const environment of ['staging', 'live']) {
    await project.sql(`create database ${environment}`)
    const random = randomBytes(48).toString('base64')
    const variables = await readFile(`deploy/environments/${environment}.env`, 'utf8')
    const listed = variables.matchAll(/^[A-Z0-9_]+=secret:(.+)$/gm)
    const values: Record<string, string> = {
      ...Object.fromEntries(Array.from(listed, ([, name]) => [name, random])),
      'database-url': new URL(environment, server.url).href,
      'auth-secret': random,
      'test-token': 'none',
    }
    for (const [name, value] of Object.entries(values))
      project.secrets.set(`${service}-${environment}-${name}`, [value])
  }
  return project
}
