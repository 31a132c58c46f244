/** What `call` takes beside the options of `fetch`. */
export interface CallOptions extends Omit<RequestInit, 'body' | 'redirect'> {
  readonly body?: RequestInit['body'] | undefined
  /** The body, to be sent as JSON. */
  readonly json?: unknown
  /** Written before a URL that starts with `/`. */
  readonly base?: string
  /**
   * Whose token the header `Authorization` carries. `caller`: the token of the request; in a task one that is signed for
   * the caller, see `callerScopes` of `defineTask`. `service`: a Google ID token of the service's own account. If absent,
   * the header is as you give it.
   */
  readonly as?: 'caller' | 'service'
  /** Sends an ID token in `X-Serverless-Authorization` as well: Cloud Run asks for one if the other service is private. */
  readonly idToken?: boolean
  /** The audience of ID tokens; the origin of the URL if absent. A service behind a domain of its own may need its run.app URL. */
  readonly audience?: string
  /** How often a call is sent at most; 3 if absent, and 1 in a task, which is retried itself. */
  readonly attempts?: number
  /** The limit of the response's body; 1 MiB if absent. */
  readonly maxBytes?: number
}
