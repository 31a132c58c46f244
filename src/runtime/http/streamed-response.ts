/** A response whose body is still being created when its head is sent. */
export interface StreamedResponse {
  readonly response: Response
  /** Aborts the request's signal. */
  readonly abort?: (reason: Error) => void
  /** Ends the request's deadline. */
  readonly release?: () => void
}
