import { isatty } from 'node:tty'
import { SonicBoom } from 'sonic-boom'

/** Where lines go: the standard output, or what a test collects. */
export interface Output {
  write(line: string): unknown
  /** Whether a person reads along: they get the readable form. */
  readonly isTTY?: boolean
}

/** The standard output: written at once and in order, so that nothing is lost when the process ends. */
export function standardOutput(): Output {
  const stream = new SonicBoom({ fd: 1, sync: true })
  return { write: (line) => stream.write(line), isTTY: isatty(1) }
}
