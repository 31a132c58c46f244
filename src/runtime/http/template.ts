import type { Context } from 'hono'
import { tryDecodeURIComponent } from 'hono/utils/url'

/** A path with places for parameters: a contract's (`/things/{id}:archive`), or Hono's for a plain route (`/files/*`). */
export interface Template {
  readonly text: string
  /** The parameters' names, in their order. */
  readonly names: readonly string[]
  /** The path for Hono's routers. */
  readonly hono: string
  /** Matches the paths that it takes, as Hono decodes them; a contract's parameters are its groups, in their order. */
  readonly pattern: RegExp
  /** For each segment how much it leaves open: the lower, the more specific. */
  readonly ranks: readonly number[]
  /** The same for two templates that take the same paths. */
  readonly shape: string
}

interface Segment {
  readonly names: readonly string[]
  readonly hono: string
  readonly pattern: string
  readonly rank: number
  readonly shape: string
}

/** Below a path, and the path itself. */
const theRest = '(?:|/.*)'

/** The rank of a `*` that takes a whole tree. */
const wildcard = 2

const parameter = /\{([^{}]*)\}/g

/**
 * Reads the path of a route, with its feature's prefix.
 *
 * @param kind whose words the path is written in; `{name}` is a parameter in both, since a prefix has it so
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

/** Sorts the more specific template first: the fixed text of an earlier segment decides. */
export function bySpecificity(a: Template, b: Template): number {
  for (const [index, rank] of a.ranks.entries()) {
    const difference = rank - (b.ranks[index] ?? rank)
    if (difference !== 0) return difference
  }
  return 0
}

/** Whether the template takes a whole tree: what no other one takes is its. */
export function isTree({ ranks }: Template): boolean {
  return ranks.at(-1) === wildcard
}

/**
 * Reads the parameters of a path whose segments hold more than a parameter, which Hono's routers cannot.
 *
 * @returns nothing where Hono's own reading will do
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
  // the more of the segment is fixed, the nearer to a fixed one
  const rank = 1 / shape.replaceAll('{}', '').length - 0.001
  return { names, shape, rank, pattern, hono: `:${shapeName(shape)}{${mixed(text, (part) => part)}}` }
}

/**
 * The expression of a segment such as `{id}.csv` or `{a}-{b}`. Each parameter but the first excludes the character
 * before it, so that there is one way to match, found in linear time: the first takes the most.
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

/** What Hono calls the segment: none of its parameters, since it is all of them. */
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

/** Escaped by number: some characters mean something to a router, wherever they stand. */
function literal(text: string): string {
  return text.replaceAll(/\W/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
