import { z } from 'zod'
import { callOnce } from '../kernel/call-once.ts'
import type { AccessToken } from './access-tokens.ts'

/** Many times what a token has. */
const maxBytes = 64 * 1024

const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })

/**
 * Asks the metadata server for an access token of the account that the service runs as. The connection ends with it.
 *
 * @param host the server's host, maybe with a port
 * @throws {Error} where it cannot be reached, or sends anything but a token that expires; and the signal's reason
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
 */
export async function fetchAccessToken(host: string, signal: AbortSignal): Promise<AccessToken> {
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  const asked = Date.now()
  const { status, headers, text } = await callOnce(url, {
    ...{ headers: { 'metadata-flavor': 'Google' }, signal, maxBytes },
  })
  if (status !== 200) throw new Error(`The response to ${url} is a ${status}, not a 200`)
  if (headers['metadata-flavor'] !== 'Google')
    throw new Error(`Who responds at ${url} is not the metadata server: Metadata-Flavor is not Google`)
  const token = Token.safeParse(parseJson(text), { jitless: true })
  if (!token.success) throw new Error(`The response to ${url} is not a token that expires`)
  const { access_token: value, expires_in: seconds } = token.data
  return { value, expiresAt: asked + seconds * 1000 }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
