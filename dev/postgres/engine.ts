/** What creates a data folder, and runs a server on it. */
export interface Engine {
  /** Fills a data folder that does not exist yet. @throws if it cannot */
  initialise(folder: string, flags: readonly string[]): Promise<void>
  /** Resolves when the server accepts connections on that port. @throws if it ends before */
  start(folder: string, port: number, flags: readonly string[]): Promise<Server>
  /** Removes what it needed beside the data folder. */
  release(): Promise<void>
}

/** A server that runs. */
export interface Server {
  /** Resolves when the server has ended, by itself or not. */
  readonly ended: Promise<unknown>
  /** Ends it: open transactions are rolled back, what is committed is kept. */
  stop(): Promise<void>
}
