import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http'
import { problems } from '../kernel/problem.ts'
import type { Log } from '../log/logger.ts'
import { linger } from './linger.ts'
import type { Refusals } from './refusal.ts'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * The class of the server's responses. Where the body of the request has not arrived, the connection lingers when it is
 * to be closed (by `destroySoon`: after a response that is the last, or where node-server has waited for the body long
 * enough). A head that Node refuses to write becomes a problem: the app checks its responses, so that this is the net
 * below it.
 */
export function lastingResponse(refuse: Refusals, log: Log) {
  return class LastingResponse<Request extends IncomingMessage> extends ServerResponse<Request> {
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
        refuse.by(this, problems.INTERNAL)
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
