import type { Context } from 'hono'
import { tryDecodeURIComponent } from 'hono/utils/url'

/** A path with parameters, in the syntax of OpenAPI (`/things/{id}:archive`) or, for a plain route, of Hono (`/files/*`). */
export interface Template {
  readonly text: string
  /** The names of the parameters, in order. */
  readonly names: readonly string[]
  /** The path for Hono's routers. */
  readonly hono: string
  /** Matches paths as Hono decodes them. Its groups are the parameters of the contract's path, in order. */
  readonly pattern: RegExp
  /** How general each segment is: a lower number is more specific. */
  readonly ranks: readonly number[]
  /** Equal for two templates that match the same paths. */
  readonly shape: string
}

interface Segment {
  readonly names: readonly string[]
  readonly hono: string
  readonly pattern: string
  readonly rank: number
  readonly shape: string
}

/** Matches a path and everything below it. */
const theRest = '(?:|/.*)'

/** The rank of a `*` that matches a whole tree. */
const wildcard = 2

const parameter = /\{([^{}]*)\}/g

/**
 * Parses the path of a route, with the prefix of its feature.
 *
 * @param kind the syntax of the path. `{name}` is a parameter in both, because prefixes use it
 */
export function parseTemplate(text: string, kind: 'contract' | 'plain'): Template {
  const parse = kind === 'contract' ? contractSegment : plainSegment
  const segments = text
    .split(/\/(?![^{]*\})/)
    .slice(1)
    .map((segment, index, { length }) => parse(segment, index === length - 1))
  const all = (part: (segment: Segment) => string) => segments.map((segment) => `/${part(segment)}`).join('')
  return {
    text,
    names: segments.flatMap(({ names }) => names),
    hono: all(({ hono }) => hono),
    pattern: new RegExp(`^${all(({ pattern }) => pattern).replace(`/${theRest}`, theRest)}$`, 's'),
    ranks: segments.map(({ rank }) => rank),
    shape: all(({ shape }) => shape),
  }
}

/**
 * Compares templates for sorting: the more specific one comes first. Fixed text in an earlier segment decides, then the smaller
 * number of segments. If a shorter one were equal to all that begin like it, the result would depend on the order of the list.
 */
export function bySpecificity(a: Template, b: Template): number {
  for (const [index, rank] of a.ranks.entries()) {
    const other = b.ranks[index]
    if (other === undefined) return 1
    if (rank !== other) return rank - other
  }
  return a.ranks.length - b.ranks.length
}

/** Whether the template matches a whole tree. It gets the paths that no other template matches. */
export function isTree({ ranks }: Template): boolean {
  return ranks.at(-1) === wildcard
}

/**
 * Creates a reader for parameters of segments that contain more than a parameter. Hono's routers cannot read them.
 *
 * @returns `undefined` if Hono's own reading works
 */
export function mixedReader({ text, names, pattern }: Template) {
  if (text.split('/').every((segment) => /^(\{[^{}]*\}|[\w.~-]*)$/.test(segment))) return undefined
  return function readMixed({ req }: Context): Record<string, string> {
    const values = pattern.exec(req.path)?.slice(1) ?? []
    return Object.fromEntries(names.map((name, index) => [name, tryDecodeURIComponent(values[index] ?? '')]))
  }
}

function contractSegment(text: string): Segment {
  const names = [...text.matchAll(parameter)].map(([, name = '']) => name)
  const shape = text.replaceAll(parameter, '{}')
  if (names.length === 0) {
    const plain = /^[\w.~-]*$/.test(text)
    const pattern = literal(text)
    return { names, shape, rank: 0, pattern, hono: plain ? text : `:${shapeName(shape)}{${pattern}}` }
  }
  if (shape === '{}') return { names, shape, rank: 1, pattern: '([^/]+)', hono: `:${names[0]}` }
  const pattern = mixed(text, (part) => `(${part})`)
  // the more fixed text a segment has, the more specific it is
  const rank = 1 / shape.replaceAll('{}', '').length - 0.001
  return { names, shape, rank, pattern, hono: `:${shapeName(shape)}{${mixed(text, (part) => part)}}` }
}

/**
 * The regular expression of a segment such as `{id}.csv` or `{a}-{b}`. The first parameter takes as much as possible. Each
 * other parameter excludes the character before it, so that there is only one match, found in linear time.
 */
function mixed(text: string, group: (pattern: string) => string): string {
  const parts = text.split(parameter)
  return parts
    .map((part, index) => {
      if (index % 2 === 0) return literal(part)
      const before = parts[index - 1]?.at(-1) ?? ''
      return group(index === 1 ? '[^/]+' : `[^/${literal(before)}]+`)
    })
    .join('')
}

/** The name of the whole segment for Hono, unlike the name of any parameter. */
function shapeName(shape: string): string {
  return Buffer.from(shape).toString('hex')
}

function plainSegment(text: string, isLast: boolean): Segment {
  const prefix = /^\{(\w+)\}$/.exec(text)?.[1]
  const [, name = prefix, own, optional] = /^:([^{}?]+)(?:\{(.+)\})?(\?)?$/.exec(text) ?? []
  if (text === '*') {
    return {
      names: [],
      shape: '*',
      rank: isLast ? wildcard : 1,
      pattern: isLast ? theRest : '[^/]+',
      hono: '*',
    }
  }
  if (name === undefined) return { names: [], shape: text, rank: 0, pattern: literal(text), hono: text }
  const pattern = own ? `(?:${own})` : '[^/]+'
  return {
    names: [name],
    shape: own ? `{${own}}` : '{}',
    rank: own ? 0.5 : 1,
    pattern: optional ? `(?:${pattern})?` : pattern,
    hono: prefix ? `:${prefix}` : text,
  }
}

/** A regular expression for this exact text. Characters are escaped by their numbers, because Hono's routers interpret some. */
function literal(text: string): string {
  return text.replaceAll(/\W/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
