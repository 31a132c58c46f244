import type { Environment } from '../../machine/settings.ts'

/** A revision. Its instance runs until the project ends. */
export interface Revision {
  readonly name: string
  /** The name of its image. */
  readonly image: string | undefined
  /** Its variables, with secrets resolved. */
  readonly environment: Environment
  /** The port of its instance, once it is ready. */
  port?: number
}

/** An element of Google's `spec.traffic` and `status.traffic`. */
export interface Target {
  revisionName: string
  latestRevision?: boolean | undefined
  readonly percent?: number | undefined
  readonly tag?: string | undefined
  readonly url?: string | undefined
}

/** A service, the newest of its revisions last. Its traffic stays what it was set to: a pin outlives a deploy. */
export interface Service {
  readonly url: string
  readonly revisions: Revision[]
  /** Its annotations. Google always has some. */
  annotations: Record<string, string>
  /** Counts its changes. */
  version: number
  traffic: Target[]
}

/** The name of the newest ready revision. */
export const latestReady = ({ revisions }: Service) => revisions.findLast(({ port }) => port)?.name

/** The port of a revision, if there is one of this name and it is ready. */
export const portOf = ({ revisions }: Service, name: string) =>
  revisions.find((revision) => revision.name === name)?.port

/** A service as Cloud Run's API returns it, keys in order. */
export function resourceOf(name: string, service: Service) {
  const { annotations, traffic, url, version } = service
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { annotations, name, resourceVersion: `v${version}` },
    spec: { template: { spec: { containers: [] } }, traffic: traffic.map(({ url, ...target }) => target) },
    status: { latestReadyRevisionName: latestReady(service), traffic, url },
  }
}
