import type { IncomingMessage } from 'node:http'
import type { Emulator } from '../../cloud-tasks/emulator.ts'
import type { Image } from './image.ts'
import type { Service } from './service.ts'

/** Whether Google's front end responds to a request to a host with 500. */
export type Fault = (host: string, request: IncomingMessage) => boolean

/** A pretend project of Google's, as deploy/setup leaves it: accounts, secrets, databases, and nothing deployed. */
export interface Project {
  readonly id: string
  readonly number: string
  readonly region: string
  /** A temporary folder, which goes with the project. */
  readonly folder: string
  readonly emulator: Emulator
  readonly databasePort: string
  readonly services: Map<string, Service>
  /** By tag, and, where they were pushed, by digest. */
  readonly images: Map<string, Image>
  /** Docker's containers, by name. */
  readonly containers: Map<string, { readonly output: string; stop(): Promise<void> }>
  /** The jobs of Cloud Scheduler by name: the flags of each, and the status of its first call. */
  readonly schedulerJobs: Map<string, Readonly<Record<string, string | undefined>>>
  /** What Cloud Monitoring has, by name. */
  readonly monitoring: Readonly<
    Record<'metrics' | 'policies' | 'dashboards' | 'channels', Map<string, Readonly<Record<string, unknown>>>>
  >
  /** The values of each secret, by its name. The number of a version is a place among them, from 1. */
  readonly secrets: Map<string, string[]>
  /** The e-mail addresses of the service accounts. */
  accounts: string[]
  /** The arguments of each call of gcloud, and `PUT NAME` for each replacement of a service. */
  readonly commands: string[][]
  /** Which requests fail at Google's front end. */
  fault: Fault
  /** The access token of a person or of an account. */
  readonly token: string
  /** Called before Cloud Run's API replaces a service. */
  beforeReplace: ((name: string) => unknown) | undefined
  /** The ids of the builds that have not ended. */
  readonly going: Set<string>
  /** What the scripts have in their environment beside their own variables. */
  readonly variables: Readonly<Record<string, string>>
  /** The gcloud command, such as `run services list`, to which Google does not respond. */
  mute: string | undefined
  /** Whether the databases refuse what jobs write. */
  migrationsFail: boolean
  /** The folder that comes first in the PATH of scripts. */
  readonly programs: string
  /** The value of a version of a secret, or of its `latest`. @throws {Refusal} if there is none */
  secret(name: string, version: string): string
  /** The URL on this machine of a host of Cloud Run: `my-service-live`, or `tag---my-service-live`. */
  front(host: string): Promise<string>
  /** Replaces the hosts of run.app by what they resolve to, as DNS does. */
  resolve(text: string): string
  /** Runs statements on the database server, as its superuser. */
  sql(...statements: string[]): Promise<void>
  /** Ends all that runs, and leaves nothing behind. */
  close(): Promise<void>
}
