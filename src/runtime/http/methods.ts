import { Problem, problems } from '../kernel/problem.ts'
import { bySpecificity, isTree, type Template } from './template.ts'

/** What the service's paths take: the most specific template that takes a path has it, whatever the method. */
export interface Methods {
  /** The methods that a path takes; none where there is no such path. */
  at(path: string): readonly string[]
  /** The templates that take some of this one's paths away, without this method. */
  closedTo(method: string, template: Template): readonly Template[]
}

/**
 * Tells a wrong method (405) from an unknown path (404), also where a more general template would take the method:
 * GET /orders/redrive is no order, where POST /orders/redrive is a route. A tree (`/*`) takes what is left.
 *
 * @see https://spec.openapis.org/oas/v3.1.0#patterned-fields a concrete path is matched before a templated one
 */
export function methodsOf(routes: readonly { method: string; template: Template }[]): Methods {
  const places = new Map<string, { template: Template; methods: Set<string> }>()
  for (const { method, template } of routes) {
    const place = places.get(template.shape) ?? { template, methods: new Set() }
    place.methods.add(method)
    if (method === 'GET') place.methods.add('HEAD')
    places.set(template.shape, place)
  }
  const sorted = [...places.values()].sort((a, b) => bySpecificity(a.template, b.template))

  return {
    at(path) {
      const taking = sorted.filter(({ template }) => template.pattern.test(path))
      const nearest = taking.filter((place, index) => index === 0 || isTree(place.template))
      return [...new Set(nearest.flatMap(({ methods }) => [...methods]))]
    },
    closedTo(method, general) {
      if (isTree(general)) return []
      return sorted
        .filter(({ template, methods }) => !methods.has(method) && !isTree(template))
        .map(({ template }) => template)
        .filter((template) => bySpecificity(template, general) < 0 && mayOverlap(template, general))
    },
  }
}

/** The header `Allow` of a path that takes these methods. */
export function allowOf(methods: readonly string[]): string {
  return [...methods, 'OPTIONS'].join(', ')
}

/** The 405 of a path, with what it takes. */
export function methodNotAllowed(path: string, methods: readonly string[]): Problem {
  const Allow = allowOf(methods)
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
