import { Problem, problems } from '../kernel/problem.ts'
import { bySpecificity, isTree, type Template } from './template.ts'

/** The methods of the service's paths. The most specific template that matches a path decides, for every method. */
export interface Methods {
  /** The methods of a path; none if there is no such path. */
  allowedAt(path: string): readonly string[]
  /** The more specific templates that match some of this one's paths, and do not have the method. */
  shadowing(method: string, template: Template): readonly Template[]
}

/**
 * Distinguishes a wrong method (405) from an unknown path (404), also if a more general template has the method. If POST
 * /orders/redrive is a route, GET /orders/redrive does not read the order `redrive`. A tree (`/*`) takes what no other matches.
 *
 * @see https://spec.openapis.org/oas/v3.1.0#patterned-fields a concrete path is matched before a templated one
 */
export function methodsOf(routes: readonly { method: string; template: Template }[]): Methods {
  const entries = new Map<string, { template: Template; methods: Set<string> }>()
  for (const { method, template } of routes) {
    const entry = entries.get(template.shape) ?? { template, methods: new Set() }
    entry.methods.add(method)
    if (method === 'GET') entry.methods.add('HEAD')
    entries.set(template.shape, entry)
  }
  const sorted = [...entries.values()].sort((a, b) => bySpecificity(a.template, b.template))

  return {
    allowedAt(path) {
      const taking = sorted.filter(({ template }) => template.pattern.test(path))
      const nearest = taking.filter((entry, index) => index === 0 || isTree(entry.template))
      return [...new Set(nearest.flatMap(({ methods }) => [...methods]))]
    },
    shadowing(method, general) {
      if (isTree(general)) return []
      return sorted
        .filter(({ template, methods }) => !methods.has(method) && !isTree(template))
        .map(({ template }) => template)
        .filter((template) => bySpecificity(template, general) < 0 && mayOverlap(template, general))
    },
  }
}

/** The value of the header `Allow` for a path with these methods. */
export function allowHeader(methods: readonly string[]): string {
  return [...methods, 'OPTIONS'].join(', ')
}

/** The 405 for a path that has these methods. */
export function methodNotAllowed(path: string, methods: readonly string[]): Problem {
  const Allow = allowHeader(methods)
  return new Problem(problems.METHOD_NOT_ALLOWED, { detail: `${path} takes ${Allow}.`, headers: { Allow } })
}

function mayOverlap(a: Template, b: Template): boolean {
  if (a.ranks.length !== b.ranks.length) return false
  const [left, right] = [a.shape.split('/'), b.shape.split('/')]
  return left.every((segment, index) => {
    const fixed = !/[{*]/.test(segment + right[index])
    return !fixed || segment === right[index]
  })
}
