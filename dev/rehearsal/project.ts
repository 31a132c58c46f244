import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { createSigner } from '#src/runtime/auth/sign.ts'
import { createEmulator } from '../cloud-tasks/emulator.ts'
import { startPostgres } from '../postgres.ts'
import { docker } from './docker.ts'
import type { Flags } from './format.ts'
import { createFront, type Fault } from './front.ts'
import { gcloud } from './gcloud.ts'
import type { Image } from './images.ts'
import type { Listening } from './listen.ts'
import type { Service } from './services.ts'
import { createStandIns } from './stand-ins.ts'

/** A pretend project of Google's, as deploy/setup would leave it: accounts, secrets, databases, nothing deployed. */
export type Project = Awaited<ReturnType<typeof createProject>>

/** Makes a project, to be closed at the end. */
export async function createProject(options: { service?: string; region?: string } = {}) {
  const { service = 'runway', region = 'europe-west1' } = options
  const [id, number] = ['rehearsal', '123456789']
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'))
  const server = await startPostgres()
  const emulator = await createEmulator()
  const fronts = new Map<string, Listening>()
  const containers = new Map<string, { output: string; stop(): Promise<unknown> }>()

  /** Runs statements on the server, as its superuser. */
  async function sql(...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  }

  const project = {
    ...{ id, number, region, folder, emulator, containers, sql },
    databasePort: new URL(server.url).port,
    services: new Map<string, Service>(),
    /** By tag, and, where they were pushed, by digest. */
    images: new Map<string, Image>(),
    /** Cloud Scheduler's, each with the status of its first call. */
    schedulerJobs: new Map<string, Flags>(),
    /** The values of each secret, by its name; a version is a place among them, from 1. */
    secrets: new Map<string, string[]>(),
    accounts: ['staging', 'live'].map((name) => `${service}-${name}@${id}.iam.gserviceaccount.com`),
    /** Every gcloud command that changes something, such as `run deploy runway-live`. */
    journal: [] as string[],
    /** Which requests Google's front end answers with 500. */
    fault: (() => false) as Fault,
    /** Whether images that are built carry a migration that fails. */
    failingMigration: false,
    /** The PATH's first folder. */
    programs: join(folder, 'programs'),
    /** What an instance has in its environment beside its own variables, as on Cloud Run. */
    platform: {
      CLOUD_TASKS_EMULATOR_HOST: new URL(emulator.url).host,
      OIDC_ISSUERS: emulator.issuer,
      OIDC_JWKS_URL: emulator.keysUrl,
    },

    /** The value of a secret's version, or of its `latest`. */
    secret(name: string, version: string): string | undefined {
      return project.secrets.get(name)?.at(version === 'latest' ? -1 : Number(version) - 1)
    },

    /** Where a host of Cloud Run's is reached here: `runway-live`, or `tag---runway-live`. */
    async front(host: string, instance: () => Promise<number>): Promise<string> {
      const front =
        fronts.get(host) ?? (await createFront(host, instance, (...args) => project.fault(...args)))
      fronts.set(host, front)
      return front.url
    },

    /** Replaces run.app's names by what they resolve to, as DNS would. */
    resolve(text: string): string {
      const name = new RegExp(`(https://)?([a-z0-9-]+)-${number}\\.${region}\\.run\\.app`, 'g')
      return text.replace(name, (found, scheme = '', host) => {
        const url = fronts.get(host)?.url
        return url ? `${scheme && 'http://'}${new URL(url).host}` : found
      })
    },

    /** Ends all that runs, and leaves nothing behind. */
    async close(): Promise<void> {
      await standIns.close()
      const instances = [...project.services.values()].flatMap(({ revisions }) => revisions)
      await Promise.all(
        [...instances.map(({ instance }) => instance), ...containers.values()].map((it) => it.stop()),
      )
      for (const front of fronts.values()) front.close()
      await Promise.all([emulator.close(), server.stop()])
      await rm(folder, { recursive: true })
    },
  }

  const standIns = await createStandIns(project.programs, {
    docker: docker(project),
    gcloud: gcloud(project),
  })
  for (const environment of ['staging', 'live']) {
    await sql(`create database ${environment}`)
    const name = `${service}-${environment}`
    project.secrets.set(`${name}-database-url`, [new URL(environment, server.url).href])
    project.secrets.set(`${name}-auth-secret`, [randomBytes(48).toString('base64')])
  }
  const secret = project.secret(`${service}-live-auth-secret`, 'latest') ?? ''
  const sign = createSigner({ secret, issuer: 'runway', audience: 'runway', ttl: 86_400 })
  const token = await sign({ subject: 'rehearsal', scopes: ['orders:read', 'orders:write'] })
  project.secrets.set(`${service}-live-test-token`, [token])
  return project
}
