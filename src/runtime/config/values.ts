import { z } from 'zod'

/** The value of a variable that is not set. Without one, the variable is required. */
type Unset<Value> = [] | [unset: Value]

/**
 * The schema of an environment variable. It is one zod schema with a function: combining several would cost at each start.
 *
 * @param right the message about a wrong value: it says what a right one is
 * @param parse returns the value, or `undefined` for a wrong text
 * @param unset the value if the variable is not set; without it, the variable is required
 * @example
 * const hour = variable('must be an hour, 0 to 23', (text) => (/^(1?\d|2[0-3])$/.test(text) ? Number(text) : undefined))
 * hour.parse('7') // → 7
 */
export function variable<Value, Default = never>(
  right: string,
  parse: (text: string) => Value | undefined,
  ...unset: Unset<Default>
): z.ZodType<Value | Default> {
  return z.transform((text, check) => {
    if (text === undefined && unset.length > 0) return unset[0] as Default
    const value = typeof text === 'string' ? parse(text) : undefined
    if (value !== undefined) return value
    const message = text === undefined ? 'is required but not set' : right
    check.issues.push({ code: 'custom', input: text, message })
    return z.NEVER
  })
}

/**
 * A variable that may be any text. `unset` is its value if it is not set; without `unset`, it is required.
 *
 * @example
 * anyText('Teapot').parse(undefined) // → 'Teapot'
 */
export function anyText<Default = never>(...unset: Unset<Default>) {
  return variable('must be text', (text) => text, ...unset)
}

/**
 * A variable that is a whole number from `min` to `max`, in decimal digits. `unset` is its value if it is not set; without
 * `unset`, it is required.
 *
 * @example
 * integer(1, 100).parse('20') // → 20
 */
export function integer<Default = never>(min: number, max: number, ...unset: Unset<Default>) {
  const parse = (text: string) => (/^\d{1,9}$/.test(text) ? inRange(Number(text), min, max) : undefined)
  return variable(`must be a whole number from ${min} to ${max}`, parse, ...unset)
}

const units: Record<string, number> = { s: 1, m: 60, h: 3600 }

/**
 * A variable that is a duration such as `300`, `300s`, `5m` or `24h`, as `gcloud --timeout` takes it. The value, `min`,
 * `max` and `unset` are in seconds. Without `unset`, the variable is required.
 *
 * @example
 * seconds(1, 3600).parse('5m') // → 300
 */
export function seconds<Default = never>(min: number, max: number, ...unset: Unset<Default>) {
  const right = `must be a duration from ${min}s to ${max}s, such as 90, 90s, 5m or 24h`
  function parse(text: string) {
    const [, digits, unit = 's'] = /^(\d{1,9})([smh])?$/.exec(text) ?? []
    return digits === undefined ? undefined : inRange(Number(digits) * (units[unit] ?? 1), min, max)
  }
  return variable(right, parse, ...unset)
}

/**
 * A variable that is `true` or `false`. `unset` is its value if it is not set; without `unset`, it is required.
 *
 * @example
 * flag(false).parse('true') // → true
 */
export function flag<Default = never>(...unset: Unset<Default>) {
  const parse = (text: string) => (/^(true|false)$/.test(text) ? text === 'true' : undefined)
  return variable('must be true or false', parse, ...unset)
}

/**
 * A variable that is one of `names`. `unset` is its value if it is not set; without `unset`, it is required.
 *
 * @example
 * oneOf(['small', 'large'], 'small').parse(undefined) // → 'small'
 */
export function oneOf<const Name extends string, const Default extends Name | undefined = never>(
  names: readonly Name[],
  ...unset: Unset<Default>
) {
  const parse = (text: string) => names.find((name) => name === text)
  return variable(`must be one of ${names.join(', ')}`, parse, ...unset)
}

/**
 * A variable whose text matches `pattern`. `unset` is its value if it is not set; without `unset`, it is required.
 *
 * @param right the message about a wrong value: it says what a right one is
 *
 * @example
 * text('must be a colour such as #ff8800', /^#[\da-f]{6}$/).parse('#ff8800') // → '#ff8800'
 */
export function text<Default = never>(right: string, pattern: RegExp, ...unset: Unset<Default>) {
  return variable(right, (value) => (pattern.test(value) ? value : undefined), ...unset)
}

/**
 * A variable that is a comma-separated list. Spaces around an entry are dropped.
 *
 * @param right the message about a wrong value: it says what a right one is
 * @param entry parses one entry, and returns `undefined` for a wrong one
 * @param unset the value if the variable is not set; without it, the variable is required
 * @example
 * list('must be origins, such as https://a.example.com', origin).parse('https://a.example.com, https://b.example.com') // → ['https://a.example.com', 'https://b.example.com']
 */
export function list<Default = never>(
  right: string,
  entry: (text: string) => string | undefined,
  ...unset: Unset<Default>
) {
  function parse(value: string) {
    const entries = value.split(',').map((part) => part.trim())
    const parsed = entries.filter(Boolean).map(entry)
    return parsed.every((part) => part !== undefined) ? parsed : undefined
  }
  return variable(right, parse, ...unset)
}

/**
 * Parses an origin: scheme, host and optional port, no path. Drops a trailing slash. Returns `undefined` for any other text.
 *
 * @example
 * origin('https://a.example.com/') // → 'https://a.example.com'
 * origin('https://a.example.com/path') // → undefined
 */
export function origin(text: string): string | undefined {
  const url = URL.parse(text)
  const bare = text.endsWith('/') ? text.slice(0, -1) : text
  const plain = (url?.protocol === 'https:' || url?.protocol === 'http:') && url.origin === bare.toLowerCase()
  return plain && !url.hostname.includes('*') ? url.origin : undefined
}

/**
 * Parses a host name with an optional port. The value is in lower case. Returns `undefined` for any other text.
 *
 * @example
 * host('A.example.com:8080') // → 'a.example.com:8080'
 */
export function host(text: string): string | undefined {
  const isName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i.test(text)
  return isName && URL.canParse(`https://${text}`) ? text.toLowerCase() : undefined
}

/**
 * Parses an absolute https URL. It may not contain credentials, because `fetch` refuses them. Plain http is accepted for
 * this machine only, where nothing crosses a network. Returns `undefined` for any other text.
 *
 * @example
 * secureUrl('https://a.example.com/path') // → 'https://a.example.com/path'
 * secureUrl('http://a.example.com') // → undefined
 */
export function secureUrl(text: string): string | undefined {
  const url = URL.parse(text)
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  return secure && !url.username && !url.password ? text : undefined
}

/**
 * Parses a PostgreSQL URL, also one without a host (`user:password@/name?host=/cloudsql/…`). A password with an unencoded
 * `/`, `?` or `#` is refused: the URL would mean another host, and errors would show part of the password as the
 * database's name. Returns `undefined` for any other text.
 *
 * @example
 * databaseUrl('postgres://user:password@a.example.com/orders') // → 'postgres://user:password@a.example.com/orders'
 * databaseUrl('mysql://a.example.com/orders') // → undefined
 */
export function databaseUrl(text: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(text)) return undefined
  const url = URL.parse(text.replace('@/', '@socket/')) // only pg knows the form without a host
  if (!url || url.hash || /[@/]/.test(url.pathname.slice(1)) || url.search.includes('@')) return undefined
  return [url.username, url.password, url.pathname].every(isDecodable) ? text : undefined
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function inRange(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
