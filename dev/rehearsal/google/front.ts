import { request as send } from 'node:http'
import { listen } from '../../machine/serve.ts'
import type { Project } from '../project/project.ts'
import { portOf } from '../project/service.ts'

/**
 * Listens for one host in place of Google's front end, which ends TLS. It hands each request on to the revision that
 * has the traffic of the host.
 *
 * @param host the name of a service, or `tag---name`
 */
export function createFront(project: Project, host: string) {
  const [name = '', tag] = host.split('---').reverse()
  return listen((request, response) => {
    const respond = (status: number, why: string) => void response.writeHead(status).end(`${why}\n`)
    if (project.fault(host, request)) return respond(500, 'Broken on purpose')
    const service = project.services.get(name)
    const target = service?.traffic.find((one) => (tag ? one.tag === tag : one.percent))
    const port = service && target && portOf(service, target.revisionName)
    if (!port) return respond(503, 'No revision has this traffic')
    const { method, url: path } = request
    const headers = { 'x-forwarded-proto': 'https', ...request.headers }
    const forward = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (upstream) => {
      response.writeHead(upstream.statusCode ?? 502, upstream.rawHeaders)
      upstream.pipe(response)
    })
    forward.on('error', () => response.destroy())
    response.on('close', () => forward.destroy())
    request.pipe(forward)
  })
}
