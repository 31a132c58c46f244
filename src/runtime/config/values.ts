import { z } from 'zod'

/**
 * A variable that `parse` understands. One schema each, since every further one costs at the start.
 *
 * @param right what a right value is, for the message about a wrong one
 * @param parse gives `undefined` for what it does not understand
 */
export function variable<Value>(right: string, parse: (text: string) => Value | undefined) {
  return z.string().transform((text, check) => {
    const value = parse(text)
    if (value !== undefined) return value
    check.addIssue({ code: 'custom', message: right })
    return z.NEVER
  })
}

/** A whole number between `min` and `max`, from its decimal digits. */
export function integer(min: number, max: number) {
  return variable(`must be a whole number from ${min} to ${max}`, (text) =>
    /^\d{1,9}$/.test(text) ? within(Number(text), min, max) : undefined,
  )
}

/** A duration in seconds, from `300`, `300s`, `5m` or `24h` (what `gcloud --timeout` takes as well). */
export function seconds(min: number, max: number) {
  const units: Record<string, number> = { s: 1, m: 60, h: 3600 }
  return variable(`must be a duration from ${min}s to ${max}s, such as 90, 90s, 5m or 24h`, (text) => {
    const [, digits, unit = 's'] = /^(\d{1,9})([smh])?$/.exec(text) ?? []
    return digits === undefined ? undefined : within(Number(digits) * (units[unit] ?? 1), min, max)
  })
}

/** `true` or `false`. */
export function flag() {
  return variable('must be true or false', (text) =>
    /^(true|false)$/.test(text) ? text === 'true' : undefined,
  )
}

/** One of `names`. */
export function oneOf<const Name extends string>(names: readonly Name[]) {
  return variable(`must be one of ${names.join(', ')}`, (text) => names.find((name) => name === text))
}

/** Text that fits `pattern`. */
export function text(right: string, pattern: RegExp) {
  return variable(right, (value) => (pattern.test(value) ? value : undefined))
}

/** A comma-separated list of what `entry` understands; blanks around an entry are dropped. */
export function list(right: string, entry: (text: string) => string | undefined) {
  return variable(right, (value) => {
    const entries = value.split(',').map((part) => part.trim())
    const parsed = entries.filter(Boolean).map(entry)
    return parsed.every((part) => part !== undefined) ? parsed : undefined
  })
}

/** An origin (scheme, host, optional port; no path), without a trailing slash. */
export function origin(text: string): string | undefined {
  const url = URL.parse(text)
  const bare = text.endsWith('/') ? text.slice(0, -1) : text
  const plain = (url?.protocol === 'https:' || url?.protocol === 'http:') && url.origin === bare.toLowerCase()
  return plain && !url.hostname.includes('*') ? url.origin : undefined
}

/** A host name with an optional port, in lower case. */
export function host(text: string): string | undefined {
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i.test(text) ? text.toLowerCase() : undefined
}

/**
 * An absolute https URL without credentials, which fetch refuses; plain http is taken for this machine only, where
 * nothing travels in clear.
 */
export function secureUrl(text: string): string | undefined {
  const url = URL.parse(text)
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  return secure && !url.username && !url.password ? text : undefined
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
