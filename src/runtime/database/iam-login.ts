import { accessTokens } from '../google/access-tokens.ts'
import { fetchAccessToken } from '../google/metadata-server.ts'

/** https://cloud.google.com/compute/docs/metadata/querying-metadata */
const defaultHost = '169.254.169.254'
/** How long a login waits for its token. */
const lookUpMs = 3_000

/**
 * The password of a database user that is the service's own account, as Cloud SQL has it: an access token, looked up in
 * the request that opens a connection. A connection that is open outlives its token.
 *
 * @param url a PostgreSQL URL; such a user's name ends in `.iam`, and the URL has no password
 * @param metadataHost where the token is looked up
 * @returns nothing for any other user
 * @see https://cloud.google.com/sql/docs/postgres/iam-logins
 */
export function iamLogin(
  url: string | undefined,
  metadataHost = defaultHost,
): (() => Promise<string>) | undefined {
  const { username = '', password = '' } = URL.parse(url?.replace('@/', '@socket/') ?? '') ?? {}
  if (password || !decodeURIComponent(username).endsWith('.iam')) return undefined
  const tokens = accessTokens((signal) => fetchAccessToken(metadataHost, signal))
  return async function token() {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(new Error(`No token within ${lookUpMs} ms`)), lookUpMs)
    try {
      return await tokens.get(patience.signal)
    } finally {
      clearTimeout(timer)
    }
  }
}
