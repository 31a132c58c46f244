import type { Flags, Resource } from './format.ts'

/** What a command was given. */
export interface Given {
  /** The name of what it is about. */
  readonly name: string
  readonly flags: Flags
  /** The folder in which it was called. */
  readonly folder: string
}

/** A command of gcloud. */
export interface Command {
  /** The flags that it accepts, with spaces between them; `=` follows a flag that has a value. */
  readonly flags?: string
  /** Does its work. Returns what --format prints. @throws {Refusal} what Google would refuse */
  run(given: Given): readonly Resource[] | Promise<readonly Resource[]> | Promise<void>
}

/** Commands by their words, such as `run services list`. */
export type Commands = Readonly<Record<string, Command>>
