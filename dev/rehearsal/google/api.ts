import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { listen } from '../../machine/serve.ts'
import type { Project } from '../project/project.ts'
import { portOf } from '../project/service.ts'

const replacement = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()),
  }),
  spec: z.looseObject({
    traffic: z.array(
      z.strictObject({
        revisionName: z.string(),
        latestRevision: z.boolean().optional(),
        percent: z.int().optional(),
        tag: z.string().optional(),
      }),
    ),
  }),
})

/**
 * Cloud Run's API, as far as the scripts call it without gcloud: it replaces a service that still has the version that
 * was read.
 *
 * @see https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services/replaceService
 */
export function createApi(project: Project) {
  return listen(async (request, response) => {
    const respond = (code: number, message: string) =>
      void response.writeHead(code).end(JSON.stringify({ error: { code, message } }, null, 2))
    const name = /^\/apis\/serving\.knative\.dev\/v1\/namespaces\/rehearsal\/services\/([\w-]+)$/.exec(
      `${request.url}`,
    )?.[1]
    const service = project.services.get(name ?? '')
    if (request.method !== 'PUT' || !name || !service) return respond(404, `${request.url} is not here`)
    if (request.headers.authorization !== `Bearer ${project.token}`) return respond(401, 'No valid token')
    const { success, data, error } = replacement.safeParse(await json(request))
    if (!success) return respond(400, error.message)
    await project.beforeReplace?.(name)
    const { metadata, spec } = data
    if (metadata.resourceVersion !== `v${service.version}`)
      return respond(
        409,
        `Conflict for resource '${name}': version '${metadata.resourceVersion}' was specified`,
      )
    const missing = spec.traffic.find(({ revisionName }) => !portOf(service, revisionName))
    if (missing)
      return respond(400, `Revision '${missing.revisionName}' is not ready and cannot serve traffic.`)
    const urls = new Map(service.traffic.map(({ tag, url }) => [tag, url]))
    service.traffic = spec.traffic.map((target) => {
      const url = target.tag && urls.get(target.tag)
      return { ...target, url }
    })
    service.annotations = metadata.annotations
    service.version++
    project.commands.push(['PUT', name])
    response.writeHead(200).end('{}')
  })
}
