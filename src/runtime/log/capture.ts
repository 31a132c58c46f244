import { format } from 'node:util'
import type { Log } from './logger.ts'

/**
 * Sends what libraries print (`console.*`) and Node's own warnings to the logger. So every line of the process, on stdout
 * and stderr, is a log entry.
 *
 * @example
 * captureConsole(log)
 */
export function captureConsole(log: Log): void {
  const methods = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const
  for (const [method, level] of Object.entries(methods)) {
    console[method as keyof typeof methods] = (...words: unknown[]) => log[level](format(...words))
  }
  process.removeAllListeners('warning') // removes Node's own listener, which prints plain text on stderr
  process.on('warning', (warning) => {
    log.warn({ warning: warning.name, code: (warning as NodeJS.ErrnoException).code }, warning.message)
  })
}
