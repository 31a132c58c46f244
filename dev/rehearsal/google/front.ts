import { type IncomingMessage, request as send } from 'node:http'
import { listen } from '../../machine/serve.ts'
import type { Project } from '../project.ts'
import { portOf } from './services.ts'

/** Whether a request to a host is answered with 500. */
export type Fault = (host: string, request: IncomingMessage) => boolean

/**
 * Listens as Google's front end does for one host: ends TLS, so to say, and hands on to the revision that has its
 * traffic.
 *
 * @param host a service's name, or `tag---name`
 */
export function createFront(project: Project, host: string) {
  const [name = '', tag] = host.split('---').reverse()
  return listen((request, response) => {
    const answer = (status: number, why: string) => void response.writeHead(status).end(`${why}\n`)
    if (project.fault(host, request)) return answer(500, 'Broken on purpose')
    const service = project.services.get(name)
    const target = service?.traffic.find((one) => (tag ? one.tag === tag : one.percent))
    const port = service && target && portOf(service, target.revisionName)
    if (!port) return answer(503, 'No revision has this traffic')
    const { method, url: path } = request
    const headers = { 'x-forwarded-proto': 'https', ...request.headers }
    const forward = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders)
      answered.pipe(response)
    })
    forward.on('error', () => response.destroy())
    response.on('close', () => forward.destroy())
    request.pipe(forward)
  })
}
