import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http'
import { problems } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import { linger } from './linger.ts'
import type { ServerProblems } from './server-problems.ts'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * Creates the class of the server's responses. If the body of the request has not arrived completely, the connection
 * lingers before it is closed. (Node closes it by `destroySoon`: after the last response, or when node-server stops
 * waiting for the body.)
 *
 * If Node refuses to write a head, the response becomes a problem. The app checks its responses before, so this is a
 * safety net.
 */
export function lingeringResponse(refuse: ServerProblems, log: Log) {
  return class LingeringResponse<Request extends IncomingMessage> extends ServerResponse<Request> {
    private replaced = false

    override writeHead(status: number, message?: string, headers?: Headers): this
    override writeHead(status: number, headers?: Headers): this
    override writeHead(...head: unknown[]): this {
      const { req, socket } = this
      if (!req.complete && socket) socket.destroySoon = () => linger(socket, req)
      try {
        return super.writeHead(...(head as [number]))
      } catch (error) {
        log.error({ err: error }, 'A response could not be written')
        if (this.headersSent) return this.destroy()
        refuse.send(this, problems.INTERNAL)
        this.replaced = true
        return this
      }
    }

    override write(...chunk: unknown[]): boolean {
      return this.replaced || super.write(...(chunk as [string]))
    }

    override end(...chunk: unknown[]): this {
      return this.replaced ? this : super.end(...(chunk as [string]))
    }
  }
}
