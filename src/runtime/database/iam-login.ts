import { createAccessTokens } from '../google/access-tokens.ts'
import { fetchAccessToken } from '../google/metadata-server.ts'

/** https://cloud.google.com/compute/docs/metadata/querying-metadata */
const defaultMetadataHost = '169.254.169.254'
/** How long a login waits for an access token. */
const tokenTimeoutMs = 3_000

/**
 * The password for a Cloud SQL user that is the service's own account: an access token. The request that opens a
 * connection fetches it. An open connection outlives its token.
 *
 * @param url a PostgreSQL URL. The name of such a user ends in `.iam`, and the URL has no password
 * @param metadataHost the host of the metadata server
 * @returns a function that fetches the password; `undefined` for any other user
 * @see https://cloud.google.com/sql/docs/postgres/iam-logins
 */
export function iamLogin(
  url: string | undefined,
  metadataHost = defaultMetadataHost,
): (() => Promise<string>) | undefined {
  const { username = '', password = '' } = URL.parse(url?.replace('@/', '@socket/') ?? '') ?? {}
  if (password || !decodeURIComponent(username).endsWith('.iam')) return undefined
  const tokens = createAccessTokens((signal) => fetchAccessToken(metadataHost, signal))
  return async function token() {
    const timeout = new AbortController()
    const timer = setTimeout(
      () => timeout.abort(new Error(`The metadata server gave no token within ${tokenTimeoutMs} ms`)),
      tokenTimeoutMs,
    )
    try {
      return await tokens.get(timeout.signal)
    } finally {
      clearTimeout(timer)
    }
  }
}
