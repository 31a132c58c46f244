import { below, isJson, type Json, listOf, objectOf, textOf } from './document.ts'
import type { Notes } from './notes.ts'
import type { Trial } from './operation.ts'
import { camelOf, literal } from './words.ts'

/** An API key that the document has. */
export interface KeyDraft {
  readonly constant: string
  readonly name: string
  readonly header: string
}

/** What a route states of who may call it. */
export interface ReadSecurity extends Omit<Trial, 'parts'> {
  readonly code: string
  readonly keys: readonly KeyDraft[]
}

/** Headers that carry something else here: see `defineApiKey`. */
const taken = /^(cookie|host|content-.*|accept.*|forwarded|x-forwarded-.*|x-request-id|idempotency-key)$/i
const isScope = (text: string) => /^[!#-[\]-~]+$/.test(text)

type Scheme = { readonly kind: 'token' | 'none' } | { readonly kind: 'key'; readonly key: KeyDraft }

/**
 * Reads who may call an operation. What the runtime cannot state asks for the caller's token.
 *
 * @param place of the operation
 */
export function readSecurity(document: Json, operation: Json, place: string, notes: Notes): ReadSecurity {
  const stated = operation.security ?? document.security
  if (!Array.isArray(stated)) return withoutStatement(operation, place, notes)
  const ways = stated.filter(isJson).map((way) => Object.entries(way))
  if (stated.length === 0) return { code: "'public'", access: 'public', scopes: [], keys: [] }
  const named = ways.filter((way) => way.length > 0)
  const isOptional = named.length < ways.length
  if (named.some((way) => way.length > 1))
    notes.add(
      below(place, 'security'),
      'several schemes at once cannot be asked for: one of them is enough. Check the other in the handler',
    )
  const schemes = named.flat().map(([name]) => schemeOf(document, name, place, notes))
  const keys = schemes.flatMap((scheme) => (scheme.kind === 'key' ? [scheme.key] : []))
  const isMixed = named.some((way) => way.length > 1) && keys.length > 0
  const hasToken = schemes.some(({ kind }) => kind !== 'key') || isMixed
  const scopes = scopesOf(named.flat(), place, notes)
  if (isOptional) return optional(keys, scopes, place, notes)
  const unique = isMixed
    ? []
    : keys.filter(({ name }, index) => keys.findIndex((key) => key.name === name) === index)
  if (unique.length === 0) {
    const code = scopes.length > 0 ? literal(scopes) : "'authenticated'"
    return { code, access: 'token', scopes, keys: [] }
  }
  const list = [...(hasToken ? ["'token'"] : []), ...unique.map(({ constant }) => constant)]
  const code = `{ schemes: [${list.join(', ')}]${scopes.length > 0 ? `, scopes: ${literal(scopes)}` : ''} }`
  return { code, access: hasToken ? 'token' : 'key', scopes, keys: unique }
}

function withoutStatement(operation: Json, place: string, notes: Notes): ReadSecurity {
  const decorator = [operation['x-decorate-server'] ?? []].flat().map(String)
  if (!decorator.some((one) => /auth/i.test(one)))
    notes.add(
      place,
      "no security is stated: the caller's token is asked for ('authenticated'). Write 'public' where anybody may call",
    )
  for (const other of decorator.filter((one) => !/requires_auth$/.test(one)))
    notes.add(place, `x-decorate-server: ${other} is left out: write it as \`middleware\` of the route`)
  return { code: "'authenticated'", access: 'token', scopes: [], keys: [] }
}

function optional(
  keys: readonly KeyDraft[],
  scopes: readonly string[],
  place: string,
  notes: Notes,
): ReadSecurity {
  if (keys.length > 0 || scopes.length > 0)
    notes.add(
      below(place, 'security'),
      "API keys and scopes of a route that anybody may call ('optional') are left out: check them in the handler",
    )
  return { code: "'optional'", access: 'optional', scopes: [], keys: [] }
}

function schemeOf(document: Json, name: string, place: string, notes: Notes): Scheme {
  const schemes = objectOf(objectOf(document.components).securitySchemes)
  const scheme = objectOf(schemes[name])
  const at = below('#/components/securitySchemes', name)
  const header = textOf(scheme.name) ?? ''
  if (scheme.type === 'oauth2' || scheme.type === 'openIdConnect') {
    notes.add(
      at,
      `${scheme.type}: the service checks the token (AUTH_JWKS_URL, or its own). It has no flows, and no login`,
    )
    return { kind: 'token' }
  }
  if (scheme.type === 'http' && /^bearer$/i.test(String(scheme.scheme))) return { kind: 'token' }
  if (scheme.type === 'apiKey' && scheme.in === 'header' && /^authorization$/i.test(header))
    return { kind: 'token' }
  if (
    scheme.type === 'apiKey' &&
    scheme.in === 'header' &&
    /^[A-Za-z][\w-]*$/.test(header) &&
    !taken.test(header)
  ) {
    const bare = name.replaceAll(/[^\w.-]/g, '-').replace(/^[^A-Za-z]+/, '')
    const key = /^(|bearer|cookie|invoker)$/.test(bare) ? `${bare}Key` : bare
    notes.add(at, 'the API key refuses every key until its `findOwner` is written')
    return { kind: 'key', key: { constant: camelOf(key), name: key, header } }
  }
  const what = [scheme.type ?? 'a scheme that is not defined', scheme.in ?? scheme.scheme]
    .filter(Boolean)
    .join(', ')
  const cookie = scheme.in === 'cookie' ? ` (AUTH_COOKIE=${header} takes it from the cookie)` : ''
  notes.add(
    schemes[name] ? at : below(place, 'security'),
    `${what}: the caller's token is asked for in its place${cookie}`,
  )
  return { kind: 'none' }
}

function scopesOf(named: readonly (readonly [string, unknown])[], place: string, notes: Notes): string[] {
  const lists = named.map(([, list]) => listOf(list).map(String))
  const all = [...new Set(lists.flat())]
  if (lists.some((list) => list.length < all.length))
    notes.add(
      below(place, 'security'),
      `the alternatives have other scopes each: all are asked for (${all.join(', ')})`,
    )
  const usable = all.filter(isScope)
  if (usable.length < all.length)
    notes.add(
      below(place, 'security'),
      'a scope with a space or a quotation mark cannot be asked for: check it in the handler',
    )
  return usable
}
