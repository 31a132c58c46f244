import { isatty } from 'node:tty'
import sonicBoom from 'sonic-boom' // CommonJS whose names Node does not see

/** Where lines go: the standard output, or what a test collects. */
export interface Output {
  write(line: string): unknown
  /** Whether a person reads along: they get the readable form. */
  readonly isTTY?: boolean
}

/** The standard output: written at once and in order, so that nothing is lost when the process ends. */
export function standardOutput(): Output {
  const stream = new sonicBoom.SonicBoom({ fd: 1, sync: true })
  let open = true
  stream.on('error', () => {
    open = false // the reader has left: lines would only pile up
  })
  return { write: (line) => open && stream.write(line), isTTY: isatty(1) }
}
