import { stripVTControlCharacters, styleText } from 'node:util'
import { prettyLine } from '#runtime'
import { tickPath } from '../cloud-tasks/scheduler.ts'
import { type Entry, parseEntry } from './entry.ts'

/** How many requests are remembered, so that a task can name the one that caused it. */
const remembered = 1_000

/**
 * The service's log for a developer. Requests are in columns: time, method, path, status, duration, problem. The attempts at
 * a task are indented, and name the request that enqueued it unless it is just above. The tick of each minute and the polls
 * of an open dashboard are left out, unless they fail, and of the configuration, all but what is new. A line that is no log entry stays as it is.
 *
 * @param colours whether to colour the lines
 * @returns for each line that the service writes what to print; `undefined` for nothing
 */
export function serviceLog(colours: boolean): (line: string) => string | undefined {
  const causes = new Map<string, string>()
  let known: Record<string, string> = {}
  let above: string | undefined

  /** The request that enqueued a task, if its line is not just above. */
  function causeOf(trace: string | undefined): string {
    const cause = trace && trace !== above ? causes.get(trace) : undefined
    return cause ? paint('dim', `  ← ${cause}`) : ''
  }

  function remember({ trace, time, request }: Entry): void {
    if (!trace || !request) return
    causes.set(trace, `${clock(time)} ${request.method} ${request.path}`)
    for (const oldest of causes.keys()) {
      if (causes.size <= remembered) break
      causes.delete(oldest)
    }
  }

  return function show(line) {
    const entry = parseEntry(line)
    if (!entry) return line
    const shown = showEntry(line, entry)
    return colours || !shown ? shown : stripVTControlCharacters(shown)
  }

  function showEntry(line: string, entry: Entry): string | undefined {
    const { request, labels, configuration } = entry
    if (request && asksByItself(request)) return undefined
    if (configuration) {
      const written = Object.entries(configuration).map(
        ([name, value]) => [name, JSON.stringify(value)] as const,
      )
      const changed = written.filter(([name, value]) => value !== known[name])
      known = Object.fromEntries(written)
      const head = messageLine(JSON.stringify({ ...JSON.parse(line), configuration: undefined }))
      return [head, ...changed.map(([name, value]) => paint('dim', `  ${name}=${value}`))].join('\n')
    }
    const trace = labels.task_trace ?? entry.trace
    const cause = labels.task ? causeOf(trace) : ''
    if (!labels.task) remember(entry)
    above = trace
    if (!request) return labels.task ? indented(messageLine(line), cause) : messageLine(line)
    return labels.task ? taskLine(entry, request, cause) : requestLine(entry, request)
  }
}

type Request = NonNullable<Entry['request']>

/** Whether nobody has sent this request: it is the tick, or a browser that has the dashboard open. */
function asksByItself({ method, path, status, userAgent }: Request): boolean {
  if (status >= 300) return false
  if (method === 'POST') return path === tickPath
  return method === 'GET' && /^\/runtime\/tasks(\/overview)?$/.test(path) && userAgent.startsWith('Mozilla/')
}

/** Hours, minutes, seconds and milliseconds. */
const timeLength = 12
const widths = { method: 7, path: 38, status: 9, duration: 7 }

function requestLine(entry: Entry, request: Request): string {
  const { method, path, status } = request
  const what = `${method.padEnd(widths.method)}${path.padEnd(widths.path)}`
  const painted = paint(colourOf(status), `${status}`.padEnd(widths.status))
  return `${head(entry)}${what} ${painted}${duration(request)}${rest(entry, request)}`
}

function taskLine(entry: Entry, request: Request, cause: string): string {
  const { task = '', task_attempt: attempt, task_outcome: outcome = `${request.status}` } = entry.labels
  const what = `  └ ${task}${attempt ? ` attempt ${attempt}` : ''}`.padEnd(widths.method + widths.path)
  const colour = outcome === 'done' ? 'green' : outcome === 'dead' ? 'red' : 'yellow'
  const painted = paint(colour, outcome.padEnd(widths.status))
  return `${head(entry)}${what} ${painted}${duration(request)}${rest(entry, request)}${cause}`
}

function head({ time }: Entry): string {
  return `${paint('dim', clock(time))}  `
}

function clock(time: string): string {
  return time.slice(11, 11 + timeLength)
}

function duration({ seconds }: Request): string {
  const text = seconds < 10 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`
  return paint('dim', text.padStart(widths.duration))
}

/** The problem's code and its fields, what the message says beyond the columns, and the stack. */
function rest({ message, problem = '', stack }: Entry, { method, path, status }: Request): string {
  const [code = '', ...fields] = problem.split(' ')
  const shown =
    code && `  ${paint(colourOf(status), code)}${fields.map((field) => ` ${paint('cyan', field)}`).join('')}`
  const known = `${method} ${path} ${status}`
  const more = message.startsWith(known) ? message.slice(known.length) : ` ${message}`
  return `${shown}${more}${stack ? `\n${paint('dim', stack)}` : ''}`
}

function colourOf(status: number): 'green' | 'cyan' | 'yellow' | 'red' {
  if (status >= 500) return 'red'
  return status >= 400 ? 'yellow' : status >= 300 ? 'cyan' : 'green'
}

/** Any other entry, with its severity, its fields and its stack. */
function messageLine(line: string): string {
  const text = prettyLine(`${line}\n`).trimEnd()
  return `${paint('dim', text.slice(0, timeLength))} ${text.slice(timeLength)}`
}

function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { validateStream: false })
}

/** A line inside a task: it stands below the time of its attempt. */
function indented(text: string, cause: string): string {
  const [first = '', ...others] = text.split('\n')
  const [time = ''] = first.split(' ', 1)
  const below = others.map((other) => `${' '.repeat(timeLength)}    │ ${other}`)
  return [`${time}    │${first.slice(time.length + 1)}${cause}`, ...below].join('\n')
}
