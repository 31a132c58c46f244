import { isatty } from 'node:tty'
import sonicBoom from 'sonic-boom' // CommonJS: Node does not detect its named exports

/** Where log lines are written: to the standard output, or to a test. */
export interface Output {
  write(line: string): unknown
  /** Whether it is a terminal: then lines are written in a readable form. */
  readonly isTTY?: boolean
}

/**
 * The standard output. It is written synchronously, so that no line is lost when the process ends.
 *
 * @example
 * standardOutput().write('{"message":"Started"}\n')
 */
export function standardOutput(): Output {
  const stream = new sonicBoom.SonicBoom({ fd: 1, sync: true })
  let open = true
  stream.on('error', () => {
    open = false // the reader has closed the pipe: lines would only accumulate
  })
  return { write: (line) => open && stream.write(line), isTTY: isatty(1) }
}
