import { readBody, readResponses } from './bodies.ts'
import { below, DocumentError, isJson, type Json, listOf, objectOf, textOf } from './document.ts'
import type { Notes } from './notes.ts'
import type { RouteDraft, Uses } from './operation.ts'
import { readParameters } from './parameters.ts'
import type { SchemaBook } from './schema-book.ts'
import { type KeyDraft, readSecurity } from './security.ts'
import { camelOf, createNames, oneLine, pascalOf } from './words.ts'

const methods = ['get', 'post', 'put', 'patch', 'delete']
const otherMethods = ['head', 'options', 'trace', 'query']

/** What a document's paths become. */
export interface ReadOperations {
  readonly routes: readonly RouteDraft[]
  readonly keys: readonly KeyDraft[]
}

/**
 * Reads the operations of a document.
 *
 * @param isOwn whether the service has a route of its own there, such as /ping
 */
export function readOperations(
  document: Json,
  {
    notes,
    book,
    isOwn,
  }: { notes: Notes; book: SchemaBook; isOwn: (method: string, path: string) => boolean },
): ReadOperations {
  const prefix = prefixOf(document, notes)
  const keys = new Map<string, KeyDraft>()
  const name = createNames(['defineRoute', 'json', 'jsonBody', 'statusProblems', 'z', 'routes'])
  const ids = new Map<string, string>()
  const routes: RouteDraft[] = []
  noteRest(document, notes)
  for (const [given, item] of Object.entries(objectOf(document.paths))) {
    const at = below('#/paths', given)
    const path = `${prefix}${given}`
    if (given.startsWith('x-') || !isJson(item)) continue
    if (typeof item.$ref === 'string') notes.add(at, 'a path that is a $ref is left out: write it here')
    for (const method of otherMethods.filter((one) => one in item))
      notes.add(
        below(at, method),
        `${method.toUpperCase()} is left out: a route is GET, POST, PUT, PATCH or DELETE`,
      )
    for (const method of methods.filter((one) => isJson(item[one]))) {
      const place = below(at, method)
      const operation = objectOf(item[method])
      const odd = oddPath(path)
      if (odd) notes.add(place, `the route is left out: ${odd}`)
      else if (isOwn(method, path))
        notes.add(place, `the route is left out: the runtime has ${method.toUpperCase()} ${path}`)
      else {
        const operationId = idOf(operation, method, given, place, notes)
        const other = ids.get(operationId)
        if (other)
          throw new DocumentError(`${place} has the operationId ${operationId} of ${other}: rename one`)
        ids.set(operationId, place)
        const uses: Uses = {
          runtime: new Set(['defineRoute', 'statusProblems']),
          schemas: new Set(),
          keys: new Set(),
        }
        const pascal = pascalOf(operationId)
        const reading = { document, notes, book, pascal, uses }
        const security = readSecurity(document, operation, place, notes)
        for (const key of security.keys) {
          keys.set(key.name, key)
          uses.keys.add(key.constant)
        }
        const lists = [
          [item.parameters, below(at, 'parameters')],
          [operation.parameters, below(place, 'parameters')],
        ] as const
        const parts = readParameters(lists, path, reading)
        const body = readBody(operation.requestBody, below(place, 'requestBody'), method, reading)
        const responses = readResponses(operation.responses, below(place, 'responses'), reading)
        const request = body ? [...parts, body] : parts
        noteOperation(operation, place, notes)
        routes.push({
          ...{ operationId, method, path, uses, security: security.code, responses: responses.codes },
          constant: name(camelOf(operationId), `${camelOf(operationId)}Route`),
          summary: summaryOf(operation, method, path),
          description: descriptionOf(operation),
          request: request.map(({ code }) => code),
          errors: [...new Set(responses.errors.map(({ status }) => status))],
          origin: textOf(operation['x-bind-server']),
          trial: { parts: request.map(({ part }) => part), access: security.access, scopes: security.scopes },
        })
      }
    }
  }
  if (routes.length === 0) throw new DocumentError(`No route is left to write:\n${notes.lines().join('\n')}`)
  return { routes, keys: [...keys.values()] }
}

/** The path of the first server: Swagger 2's basePath. */
function prefixOf(document: Json, notes: Notes): string {
  const [first] = listOf(document.servers).filter(isJson)
  const url = textOf(first?.url) ?? ''
  const path = url
    .replace(/^(?:[a-z][a-z+.-]*:)?\/\/[^/]*/i, '')
    .replace(/[?#].*/, '')
    .replace(/\/+$/, '')
  if (path === '') return ''
  if (/[{}]/.test(path) || !path.startsWith('/')) {
    notes.add(
      '#/servers/0',
      `its path ${path} is not kept: mount the feature below one by at('/v1', …) in src/app.ts`,
    )
    return ''
  }
  return path
}

/** Why the runtime could not serve a path. */
function oddPath(path: string): string | undefined {
  const names = [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name)
  const fixed = path.replaceAll(/\{[^{}/]*\}/g, '')
  if (names.some((name) => !/^[A-Za-z][\w-]*$/.test(name)))
    return 'a parameter of its path has a name of other characters than letters, digits, _ and -'
  if (new Set(names).size < names.length) return 'its path has a parameter twice'
  if (
    path.includes('}{') ||
    /[^\w.~!$&'()+,;=:@/-]/u.test(fixed) ||
    /\/(\.{0,2})\//.test(path) ||
    !path.startsWith('/') ||
    /\/:\w/.test(path)
  )
    return 'its path is written in a way that the runtime does not take'
  return /^\/runtime(\/|$)/.test(path) ? '/runtime is reserved' : undefined
}

function idOf({ operationId }: Json, method: string, path: string, place: string, notes: Notes): string {
  const given = textOf(operationId)
  const safe = given && /^[A-Za-z][\w.-]*$/.test(given) ? given : undefined
  if (safe) return safe
  const made = camelOf(given ? given : `${method} ${path.replaceAll(/[{}]/g, ' ')}`)
  notes.add(
    place,
    `${given ? 'the operationId is no name' : 'there is no operationId'}: the route is named after ${given ? 'it' : 'its method and path'}`,
  )
  return made === '' ? method : made
}

function summaryOf({ summary, description }: Json, method: string, path: string): string {
  const [first = ''] = (textOf(summary) ?? textOf(description) ?? '').split(/\n|(?<=\.)\s/)
  return oneLine(first).replace(/\.$/, '') || `${method.toUpperCase()} ${path}`
}

function descriptionOf({ summary, description, deprecated }: Json): string | undefined {
  const text = [deprecated === true ? 'Deprecated.' : undefined, textOf(summary) && textOf(description)]
  return text.filter(Boolean).join(' ') || undefined
}

function noteOperation(operation: Json, place: string, notes: Notes): void {
  for (const [key, what] of [
    ['callbacks', 'callbacks are left out: send them by a task'],
    ['servers', 'servers of an operation are left out'],
  ] as const)
    if (operation[key] !== undefined) notes.add(below(place, key), what)
}

function noteRest(document: Json, notes: Notes): void {
  if (document.webhooks !== undefined) notes.add('#/webhooks', 'webhooks are left out: send them by a task')
  if (listOf(document.servers).length > 1)
    notes.add(
      '#/servers',
      'only the path of the first server is kept: SERVICE_URL and ALLOWED_HOSTS name the hosts',
    )
}
