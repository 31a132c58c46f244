import type { Surroundings } from './environment.ts'
import type { SectionResult } from './result.ts'

/** What a section gets. */
export interface Bench extends Surroundings {
  /** A minute's look: fewer and shorter rounds. */
  readonly quick: boolean
}

/** A part of the benchmark that can run alone. */
export interface Section {
  readonly name: string
  readonly title: string
  /** Whether it runs only if it is named, because it takes long. */
  readonly onlyByName?: true
  /** @param earlier what sections before it have measured, and with `--save` what others have shown in an earlier run */
  run(bench: Bench, earlier: readonly SectionResult[]): Promise<SectionResult>
}
