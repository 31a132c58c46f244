import { z } from 'zod'
import { sendRequest } from '../kernel/send-request.ts'
import type { AccessToken } from './access-tokens.ts'

/** Many times the size of a token. */
const maxBytes = 64 * 1024

const Claims = z.object({ exp: z.number().positive() })
const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })

/**
 * Fetches an access token of the service's own account from the metadata server.
 *
 * @param host the host of the metadata server, optionally with a port
 * @throws {Error} if the server cannot be reached, or its response is not a token; the signal's reason if it aborts
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
 */
export async function fetchAccessToken(host: string, signal: AbortSignal): Promise<AccessToken> {
  const asked = Date.now()
  const { url, text } = await askFor('token', host, signal)
  const token = Token.safeParse(parseJson(text), { jitless: true })
  if (!token.success) throw new Error(`The response to ${url} has no access_token and expires_in`)
  const { access_token: value, expires_in: seconds } = token.data
  return { value, expiresAt: asked + seconds * 1000 }
}

/**
 * Fetches a Google ID token of the service's own account, which names the audience. It expires when its `exp` says.
 *
 * @throws {Error} as `fetchAccessToken` does
 * @see https://cloud.google.com/run/docs/authenticating/service-to-service
 */
export async function fetchIdToken(
  host: string,
  audience: string,
  signal: AbortSignal,
): Promise<AccessToken> {
  const { url, text } = await askFor(`identity?audience=${encodeURIComponent(audience)}`, host, signal)
  const value = text.trim()
  const [, claims = ''] = value.split('.')
  const token = Claims.safeParse(parseJson(Buffer.from(claims, 'base64url').toString()), { jitless: true })
  if (!token.success) throw new Error(`The response to ${url} is not an ID token`)
  return { value, expiresAt: token.data.exp * 1000 }
}

async function askFor(
  what: string,
  host: string,
  signal: AbortSignal,
): Promise<{ url: string; text: string }> {
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/${what}`
  const given = { 'metadata-flavor': 'Google' }
  const { status, headers, text } = await sendRequest(url, { headers: given, signal, maxBytes })
  if (status !== 200) throw new Error(`The response to ${url} is a ${status}, not a 200`)
  if (headers['metadata-flavor'] !== 'Google')
    throw new Error(`The server at ${url} is not the metadata server: its Metadata-Flavor is not Google`)
  return { url, text }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
