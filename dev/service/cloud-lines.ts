import { z } from 'zod'
import { parseEntry } from './entry.ts'
import { serviceLog } from './log.ts'

/** An entry of Cloud Logging, as `gcloud logging read --format=json` prints it. */
const CloudEntry = z.looseObject({
  timestamp: z.string(),
  severity: z.string().default('DEFAULT'),
  textPayload: z.string().optional(),
  jsonPayload: z.record(z.string(), z.unknown()).default({}),
  httpRequest: z.record(z.string(), z.unknown()).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  trace: z.string().optional(),
})

/** A line that the service has written, and the trace to which it belongs: a task's is that of the request that enqueued it. */
interface Line {
  readonly text: string
  readonly time: string
  readonly trace: string | undefined
}

/**
 * Prints the entries of Cloud Logging as `npm run dev` prints lines: a request, and below it, indented, the tasks that it
 * enqueued, whenever they ran. Each day has a heading.
 *
 * @param entries in any order
 * @throws {ZodError} if they are no entries
 */
export function describeEntries(entries: unknown, colours: boolean): string {
  const show = serviceLog(colours)
  const lines = z.array(CloudEntry).parse(entries).map(toLine)
  lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  const groups = new Map<string | Line, Line[]>()
  for (const line of lines) {
    const key = line.trace ?? line
    groups.set(key, [...(groups.get(key) ?? []), line])
  }
  let day = ''
  const shown = [...groups.values()].flat().flatMap(({ text, time }) => {
    const line = show(text)
    if (line === undefined) return []
    const heading = time.slice(0, 10) === day ? [] : [`── ${time.slice(0, 10)} (UTC) ──`]
    day = time.slice(0, 10)
    return [...heading, line]
  })
  return shown.map((line) => `${line}\n`).join('')
}

/** The line as the service has written it: Cloud Run has taken Cloud Logging's own fields out of it. */
function toLine(entry: z.infer<typeof CloudEntry>): Line {
  const { timestamp: time, severity, textPayload = '', jsonPayload, httpRequest, labels, trace } = entry
  const text = JSON.stringify({
    ...{ severity, time, message: textPayload, httpRequest, ...jsonPayload },
    ...(trace && { 'logging.googleapis.com/trace': trace }),
    'logging.googleapis.com/labels': labels,
  })
  return { text, time, trace: labels.task_trace ?? parseEntry(text)?.trace }
}
