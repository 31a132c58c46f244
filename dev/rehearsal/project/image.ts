import type { Environment } from '../../machine/settings.ts'

/** A process that runs in a container, with all that it has started. */
export interface Running {
  /** What it has printed so far. */
  readonly output: string
  /** Its exit status, once all have ended. */
  readonly exit: Promise<number>
  stop(): Promise<void>
}

/** What containers are started from. */
export interface Image {
  /**
   * Starts a container.
   *
   * @param environment comes before the image's own
   * @param line the command line; the image's own if absent
   */
  start(environment: Environment, line?: readonly string[]): Running
}
