import { type IncomingMessage, request as send } from 'node:http'
import { listen } from '../serve.ts'
import type { Project } from './project.ts'
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

  function port(): number | undefined {
    const service = project.services.get(name)
    const target = service?.traffic.find((one) => (tag ? one.tag === tag : one.percent))
    return service && target && portOf(service, target.revisionName)
  }

  return listen((request, response) => {
    const answer = (status: number, why: string) => void response.writeHead(status).end(`${why}\n`)
    if (project.fault(host, request)) return answer(500, 'Broken on purpose')
    const to = { host: '127.0.0.1', port: port() }
    if (!to.port) return answer(503, 'No revision has this traffic')
    const { method, url: path } = request
    const headers = { 'x-forwarded-proto': 'https', ...request.headers }
    const forward = send({ ...to, method, path, headers, agent: false }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders)
      answered.pipe(response)
    })
    forward.on('error', ({ message }) => (response.headersSent ? response.destroy() : answer(503, message)))
    response.on('close', () => forward.destroy())
    request.pipe(forward)
  })
}
