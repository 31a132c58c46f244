import { prettyLine } from '#runtime'
import { tickPath } from '../cloud-tasks/scheduler.ts'

const quietTick = new RegExp(`^POST ${tickPath} 2\\d\\d$`)

/**
 * The service's log for a developer: without the tick of each minute, unless it fails, and with
 * no more of the configuration than is new.
 *
 * @param pretty whether a person reads along
 * @returns for each line that the service writes what to print; `undefined` for nothing
 */
export function serviceLog(pretty: boolean): (line: string) => string | undefined {
  let known: Record<string, string> = {}

  return function show(line) {
    const entry = parse(line)
    if (!entry) return line
    if (quietTick.test(`${entry.message}`)) return undefined
    if (!isObject(entry.configuration)) return pretty ? prettyLine(`${line}\n`).trimEnd() : line

    const values = Object.entries(entry.configuration)
    const configuration = Object.fromEntries(values.map(([name, value]) => [name, JSON.stringify(value)]))
    const changed = values.filter(([name]) => configuration[name] !== known[name])
    known = configuration
    if (!pretty) return JSON.stringify({ ...entry, configuration: Object.fromEntries(changed) })
    const head = prettyLine(`${JSON.stringify({ ...entry, configuration: undefined })}\n`).trimEnd()
    return [head, ...changed.map(([name]) => `  ${name}=${configuration[name]}`)].join('\n')
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const entry: unknown = JSON.parse(line)
    return isObject(entry) && 'severity' in entry ? entry : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
