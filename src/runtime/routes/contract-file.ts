import type { Context } from 'hono'
import { type StaticFile, sendStatic, staticFile } from '../http/static-file.ts'

/**
 * Creates the handler that sends the contract. The contract is built and compressed once, at the first request.
 *
 * @param build builds the document
 */
export function contractFile(build: () => Promise<object>): (c: Context) => Promise<Response> {
  let file: Promise<StaticFile> | undefined
  return async function sendContract(c) {
    file ??= build().then((contract) => staticFile(Buffer.from(JSON.stringify(contract))))
    const current = await file.catch((error) => {
      file = undefined // the next request retries
      throw error
    })
    c.header('Access-Control-Allow-Origin', '*')
    return sendStatic(c, current, 'application/json')
  }
}
