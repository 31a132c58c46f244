import { z } from '@hono/zod-openapi'
import type { Template } from '../http/template.ts'
import type { Operation, PlainOperation } from './route.ts'

type Refuse = (what: string, mend: string) => never

/**
 * Refuses a path that no request could match, or for which every request would be a 400.
 *
 * @param routeName the method and the path with its prefix, for the message
 * @throws {Error} naming the route, and what to write instead
 */
export function checkPath(routeName: string, path: string, { kind }: Operation | PlainOperation): void {
  const refuse: Refuse = (what, mend) => {
    throw new Error(`${routeName} has ${what} in its path: ${mend}.`)
  }
  for (const segment of path.split('/').slice(1, -1)) {
    if (/^\.{0,2}$/.test(segment)) refuse(segment ? `the segment ${segment}` : '//', 'take it out')
  }
  if (kind === 'plain') checkPlain(path, refuse)
  else checkTemplate(path, refuse)
}

function checkTemplate(path: string, refuse: Refuse): void {
  const [, colon] = /\/(:\w+)/.exec(path) ?? []
  if (colon) refuse(colon, `write {${colon.slice(1)}}`)
  for (const [whole, name = ''] of path.matchAll(/\{([^{}/]*)\}/g)) {
    if (/^[A-Za-z][\w-]*$/.test(name)) continue
    const rest = 'a second route for the path without it, handlePlain with /* for a whole tree'
    refuse(whole, `a parameter is {name}, of letters, digits, _ and -, and takes one segment. Write ${rest}`)
  }
  if (path.includes('}{')) refuse('}{', 'write something between the two parameters, such as {a}-{b}')
  const fixed = path.replaceAll(/\{[^{}/]*\}/g, '')
  if (fixed.includes('*')) refuse('*', 'for a whole tree use handlePlain, for one segment write {name}')
  const [odd] = /[^\w.~!$&'()+,;=:@/-]/u.exec(fixed) ?? []
  if (odd) refuse(JSON.stringify(odd), "write letters, digits, -._~!$&'()+,;=:@ and parameters as {name}")
}

function checkPlain(path: string, refuse: Refuse): void {
  const own = path.replaceAll(/\{[^/]*\}/g, '')
  const [star] = /[^/]+\*|\*[^/]+/.exec(own) ?? []
  if (star) refuse(star, '* must be the whole segment. Write /:name{.+} for a regular expression')
  if (/\?./.test(own)) refuse('?', 'only the last parameter may be absent')
  if (/[\s#%]/.test(own))
    refuse(JSON.stringify(/[\s#%]/.exec(own)?.[0]), 'write the path decoded, without white space, # and %')
}

/**
 * Refuses differences between the parameters in the path and those in `request.params`: every request would be a 400.
 *
 * @param routeName the method and the path with its prefix, for the message
 * @throws {Error} naming the route and the parameter
 */
export function checkPathParameters(
  routeName: string,
  template: Template,
  operation: Operation | PlainOperation,
): void {
  const twice = template.names.find((name, index) => template.names.indexOf(name) < index)
  if (twice) throw new Error(`${routeName} has ${twice} twice in its path: rename one.`)
  if (operation.kind === 'plain') return
  const params = operation.route.request?.params
  const shape = params instanceof z.ZodObject ? params.def.shape : {}
  if (params && !(params instanceof z.ZodObject)) {
    throw new Error(
      `${routeName} has request.params that are not a z.object, so the contract cannot show them. Write a z.object.`,
    )
  }
  const absent = template.names.find((name) => !Object.hasOwn(shape, name))
  if (absent) {
    throw new Error(
      `${routeName} has {${absent}} in its path, but not in request.params: write params: z.object({ ${keyOf(absent)}: z.string() }).`,
    )
  }
  for (const [name, schema] of Object.entries(shape)) {
    if (!template.names.includes(name)) {
      throw new Error(
        `${routeName} takes the path parameter ${name}, which its path does not have: write {${name}} in the path, or remove it from request.params.`,
      )
    }
    if (schema._zod.optin !== undefined) {
      throw new Error(
        `${routeName} takes the path parameter ${name} as optional, but it is always there: remove .optional() or .default().`,
      )
    }
  }
}

function keyOf(name: string): string {
  return /^\w+$/.test(name) ? name : `'${name}'`
}
