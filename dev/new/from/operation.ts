/** A route, as it will be written. */
export interface RouteDraft {
  readonly constant: string
  readonly operationId: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly description: string | undefined
  /** The code of `security`. */
  readonly security: string
  /** The code of `request`'s members. */
  readonly request: readonly string[]
  /** The code of `responses`' members. */
  readonly responses: readonly string[]
  /** Statuses of the errors that the document lists. */
  readonly errors: readonly number[]
  /** Where the code was, such as a function of Python. */
  readonly origin: string | undefined
  /** The names that its code takes from the runtime, from the schemas, and from the keys. */
  readonly uses: Uses
  /** What its test sends. */
  readonly trial: Trial
}

/** What the code of a route imports. */
export interface Uses {
  readonly runtime: Set<string>
  readonly schemas: Set<string>
  readonly keys: Set<string>
}

/** A part of a request that a test sends: the constant of its schema, and how. */
export interface Part {
  readonly kind: 'params' | 'query' | 'headers' | 'cookies' | 'json' | 'form' | 'other'
  readonly schema?: string
  /** The content type of a body. */
  readonly type?: string
  readonly isRequired?: boolean
}

/** A request that fits the document, and who sends it. */
export interface Trial {
  readonly parts: readonly Part[]
  /** Whether a token is needed, may be absent, or cannot help, because the route takes only API keys. */
  readonly access: 'token' | 'public' | 'optional' | 'key'
  readonly scopes: readonly string[]
}
