import type { Json } from '../schemas/json-schema.ts'

/** The kinds of parts, beside schemas, that operations may share. Each is an object in `components`. */
type Section = 'responses' | 'parameters' | 'headers'

/** The shared parts of one contract: see `sharedParts`. */
export type SharedParts = ReturnType<typeof sharedParts>

/** Collects the parts that operations share. Each part is written once, in `components`, and referenced. */
export function sharedParts() {
  const sections: Record<Section, Map<string, Json>> = {
    responses: new Map(),
    parameters: new Map(),
    headers: new Map(),
  }

  /** @returns a reference to the part; the part itself, if another part has its name */
  function share(section: Section, name: string, part: Json): Json {
    const parts = sections[section]
    const known = parts.get(name) ?? part
    if (JSON.stringify(known) !== JSON.stringify(part)) return part
    parts.set(name, known)
    return { $ref: `#/components/${section}/${name}` }
  }

  /** The sections that have parts. */
  function components(): Json {
    const filled = Object.entries(sections).filter(([, parts]) => parts.size > 0)
    return Object.fromEntries(filled.map(([section, parts]) => [section, Object.fromEntries(parts)]))
  }

  return { share, components }
}

/** A parameter's or a header's name in `components`: `IfNoneMatch` for `if-none-match`. */
export function componentName(name: string): string {
  return name.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9]?)/g, (_all, first: string) => first.toUpperCase())
}

/**
 * Shares parameters and headers that are the same in several operations. If different ones have the same name, the most
 * frequent one gets the name.
 *
 * @returns the operations, with references
 */
export function shareAlike(operations: readonly Json[], parts: SharedParts): Json[] {
  const uses = new Map<string, { section: Section; name: string; part: Json; count: number }>()
  for (const operation of operations)
    replaceParts(operation, (section, name, part) => {
      const key = keyOf(section, name, part)
      uses.set(key, { section, name, part, count: (uses.get(key)?.count ?? 0) + 1 })
      return part
    })
  const references = new Map<string, Json>()
  const repeated = [...uses].filter(([, { count }]) => count > 1).sort(([, a], [, b]) => b.count - a.count)
  for (const [key, { section, name, part }] of repeated)
    references.set(key, parts.share(section, componentName(name), part))
  return operations.map((operation) =>
    replaceParts(operation, (section, name, part) => references.get(keyOf(section, name, part)) ?? part),
  )
}

function keyOf(section: Section, name: string, part: Json): string {
  return JSON.stringify([section, name, part])
}

/** Replaces the parameters of an operation and the headers of its responses. References stay as they are. */
function replaceParts(operation: Json, replace: (section: Section, name: string, part: Json) => Json): Json {
  const { parameters, responses } = operation as {
    parameters?: Json[]
    responses: Record<string, { headers?: Record<string, Json> }>
  }
  const withHeaders = Object.entries(responses).map(([status, response]) => {
    const { headers } = response
    if (!headers) return [status, response]
    const replaced = Object.entries(headers).map(([name, header]) => [
      name,
      '$ref' in header ? header : replace('headers', name, header),
    ])
    return [status, { ...response, headers: Object.fromEntries(replaced) }]
  })
  return {
    ...operation,
    ...(parameters && {
      parameters: parameters.map((one) =>
        '$ref' in one ? one : replace('parameters', String(one.name), one),
      ),
    }),
    responses: Object.fromEntries(withHeaders),
  }
}
