import type { LogEntry } from './log-entry.ts'

/** Whether an entry is one that a filter finds. */
export type EntryFilter = (entry: LogEntry) => boolean

const fields = [
  'resource',
  'logName',
  'severity',
  'labels',
  'trace',
  'httpRequest',
  'textPayload',
  'jsonPayload',
]
const severities = [
  'DEFAULT',
  'DEBUG',
  'INFO',
  'NOTICE',
  'WARNING',
  'ERROR',
  'CRITICAL',
  'ALERT',
  'EMERGENCY',
]
const token = /\s*(?:([()])|("(?:[^"\\]|\\.)*")|(>=|<=|=~|!~|!=|=|>|<|:)|([\w.%/-]+|\*))/y

/**
 * Reads a filter in the Logging query language, as far as the filters of deploy/monitoring need it: comparisons by `=`,
 * `:` (also `:*`, for a field that is there), `=~`, `>` and `>=`, `NOT`, `OR`, `AND` (which may be left out) and parentheses. `OR` binds more closely
 * than `AND`. Text is compared without regard to case, but for `=~`. A comparison with a field that is not there is false.
 *
 * @throws {Error} for anything else
 * @see https://cloud.google.com/logging/docs/view/logging-query-language
 */
export function parseFilter(text: string): EntryFilter {
  const tokens = split(text)
  let at = 0
  const take = () => tokens[at++] ?? ''

  function all(): EntryFilter {
    const parts = [either()]
    while (at < tokens.length && tokens[at] !== ')') {
      if (tokens[at] === 'AND') at++
      parts.push(either())
    }
    return (entry) => parts.every((part) => part(entry))
  }

  function either(): EntryFilter {
    const parts = [single()]
    while (tokens[at] === 'OR') {
      at++
      parts.push(single())
    }
    return (entry) => parts.some((part) => part(entry))
  }

  function single(): EntryFilter {
    const first = take()
    if (first === 'NOT') {
      const negated = single()
      return (entry) => !negated(entry)
    }
    if (first === '(') {
      const inner = all()
      if (take() !== ')') throw new Error(`A parenthesis is open: ${text}`)
      return inner
    }
    return comparison(first, take(), take())
  }

  const filter = all()
  if (at < tokens.length) throw new Error(`${tokens[at]} is not expected: ${text}`)
  return filter
}

function split(text: string): string[] {
  const tokens: string[] = []
  token.lastIndex = 0
  while (text.slice(token.lastIndex).trim()) {
    const from = token.lastIndex
    const found = token.exec(text)
    if (!found) throw new Error(`This cannot be read: ${text.slice(from)}`)
    tokens.push(found[0].trim())
  }
  return tokens
}

function comparison(path: string, operator: string, written: string): EntryFilter {
  if (!fields.includes(path.split('.')[0] ?? '') || !/^[\w.]+$/.test(path))
    throw new Error(`${path} is no field of an entry that is known here`)
  if (written === '*' && operator === ':') return (entry) => valueAt(entry, path) !== undefined
  if (!/^["\w-]/.test(written)) throw new Error(`${path}${operator} needs a value`)
  const wanted = written.startsWith('"') ? (JSON.parse(written) as string) : written
  const test = testOf(path, operator, wanted)
  return (entry) => {
    const value = valueAt(entry, path)
    return value !== undefined && test(value)
  }
}

function testOf(path: string, operator: string, wanted: string): (value: unknown) => boolean {
  const same = (value: unknown) => `${value}`.toLowerCase()
  if (operator === '=') return (value) => same(value) === same(wanted)
  if (operator === ':') return (value) => same(value).includes(same(wanted))
  if (operator === '=~') {
    const pattern = new RegExp(wanted)
    return (value) => pattern.test(`${value}`)
  }
  const order = { '>': (a: number, b: number) => a > b, '>=': (a: number, b: number) => a >= b }[operator]
  if (!order) throw new Error(`The operator ${operator} is not known here`)
  const rank = (value: unknown) => (path === 'severity' ? severities.indexOf(`${value}`) : Number(value))
  const limit = rank(wanted)
  if (Number.isNaN(limit) || limit < 0)
    throw new Error(`${path}${operator} needs a number or a severity, not ${wanted}`)
  return (value) => (path === 'severity' || typeof value === 'number') && order(rank(value), limit)
}

/** The value of a field, such as `jsonPayload.task.name`. */
export function valueAt(entry: LogEntry, path: string): unknown {
  const step = (at: unknown, key: string) => (at as Record<string, unknown> | undefined)?.[key]
  return path.split('.').reduce(step, entry as unknown)
}
