import type { Context } from 'hono'
import { sendStatic, staticFile } from '../http/static-file.ts'
import { lazily } from '../kernel/lazily.ts'

/**
 * Creates the handler that sends the contract. The contract is built and compressed once, at the first request.
 *
 * @param build builds the document
 */
export function contractFile(build: () => Promise<object>): (c: Context) => Promise<Response> {
  const file = lazily(async () => staticFile(Buffer.from(JSON.stringify(await build()))))
  return async function sendContract(c) {
    const current = await file()
    c.header('Access-Control-Allow-Origin', '*')
    return sendStatic(c, current, 'application/json')
  }
}
