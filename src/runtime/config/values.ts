import { z } from 'zod'

/** A whole number between `min` and `max`, from its decimal digits. */
export function integer(min: number, max: number) {
  const right = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,9}$/, right)
    .transform(Number)
    .pipe(z.number().min(min, right).max(max, right))
}

/** A duration in seconds, from `300`, `300s`, `5m` or `24h` (what `gcloud --timeout` takes as well). */
export function seconds(min: number, max: number) {
  const right = `must be a duration from ${min}s to ${max}s, such as 90, 90s, 5m or 24h`
  const unit = { s: 1, m: 60, h: 3600 } as const
  return z
    .string()
    .regex(/^\d{1,9}[smh]?$/, right)
    .transform((text) => Number.parseInt(text, 10) * (unit[text.at(-1) as keyof typeof unit] ?? 1))
    .pipe(z.number().min(min, right).max(max, right))
}

/** `true` or `false`. */
export function flag() {
  return z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true')
}

/** One of `names`. */
export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `must be one of ${names.join(', ')}` })
}

/** A comma-separated list; blanks around an entry are dropped. */
export function list<Entry extends z.ZodType<string, string>>(entry: Entry) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(entry))
}

/** An origin (scheme, host, optional port; no path), as a URL without its trailing slash. */
export function origin() {
  return z
    .string()
    .refine(isOrigin, 'must be an origin such as https://orders.example.com, without a path')
    .transform((text) => new URL(text).origin)
}

/** A host name with an optional port, in lower case. */
export function host() {
  return z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i, 'must list host names such as orders.example.com')
    .toLowerCase()
}

/** An absolute https URL; plain http is taken for this machine only, where nothing travels in clear. */
export function secureUrl() {
  return z.string().refine((text) => {
    const url = URL.parse(text)
    return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  }, 'must be an https:// URL')
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  const bare = text.endsWith('/') ? text.slice(0, -1) : text
  return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.origin === bare.toLowerCase()
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
