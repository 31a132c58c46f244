import { parseEntry } from './entry.ts'
import { serviceLog } from './log.ts'

/** The lines that the service has printed last. */
export interface RecentLines {
  add(line: string): void
  /** The lines of a trace as a person reads them: those of its request, and of the tasks that it enqueued. */
  describe(trace: string): string
}

/**
 * Keeps the lines that the service prints, also over restarts.
 *
 * @param limit how many
 */
export function createRecentLines(limit = 10_000): RecentLines {
  const lines: string[] = []
  return {
    add(line) {
      if (lines.push(line) > limit * 1.1) lines.splice(0, lines.length - limit)
    },
    describe(trace) {
      const show = serviceLog(false)
      const found = lines.filter((line) => line.includes(trace) && isOfTrace(line, trace))
      if (found.length > 0) return found.map((line) => `${show(line) ?? line}\n`).join('')
      return `There is no line of the trace ${trace}. The last ${limit} lines since \`npm run dev\` started are kept.\n`
    },
  }
}

function isOfTrace(line: string, trace: string): boolean {
  const entry = parseEntry(line)
  return entry?.trace === trace || entry?.labels.task_trace === trace
}
