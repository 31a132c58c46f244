import type { SignToken } from '../auth/sign.ts'
import type { Config } from '../config/config.ts'
import type { Database } from '../database/database.ts'
import type { OpenReader } from '../database/reader-pools.ts'

/** What a feature gets to create its routes. */
export interface RouteContext {
  readonly database: Database
  readonly config: Config
  /** Opens a further pool for reading. Call it here, not in a handler. */
  readonly openReader: OpenReader
  /** Issues a token of the service's own (AUTH_SECRET): for a login route. */
  readonly signToken: SignToken
}
