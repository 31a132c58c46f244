import { type IncomingMessage, request as send } from 'node:http'
import { listen } from '../serve.ts'

/** Whether a request to a host, such as `runway-live` or `tag---runway-live`, is answered with 500. */
export type Fault = (host: string, request: IncomingMessage) => boolean

/**
 * Listens as Google's front end does for one host: ends TLS, so to say, and hands on to an instance.
 *
 * @param instance the port of one; rejects where none can be had
 */
export function createFront(host: string, instance: () => Promise<number>, isFaulty: Fault) {
  return listen(async (request, response) => {
    const answer = (status: number, why: unknown) => void response.writeHead(status).end(`${why}\n`)
    if (isFaulty(host, request)) return answer(500, 'Broken on purpose')
    const port = await instance().catch((error) => answer(503, error))
    if (!port) return
    const { method, url: path } = request
    const headers = { 'x-forwarded-proto': 'https', ...request.headers }
    const forward = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders)
      answered.pipe(response)
    })
    forward.on('error', (error) => (response.headersSent ? response.destroy() : answer(503, error)))
    response.on('close', () => forward.destroy())
    request.pipe(forward)
  })
}
