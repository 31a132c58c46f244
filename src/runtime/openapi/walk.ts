import { z } from '@hono/zod-openapi'

/**
 * The schemas directly inside a schema, each with the step that leads there (`name`, `[]`, or nothing where a
 * wrapper such as `.optional()` is passed).
 */
export function children(schema: z.core.$ZodType): [step: string, schema: z.core.$ZodType][] {
  if (schema instanceof z.ZodObject) {
    const { shape, catchall } = schema.def
    return [...Object.entries(shape), ...(catchall ? [['*', catchall] as const] : [])].map(([key, part]) => [
      key,
      part,
    ])
  }
  if (schema instanceof z.ZodLazy) return [['', schema._zod.innerType]]
  return Object.entries(schema._zod.def).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((part) => part instanceof z.core.$ZodType)
      .map((part): [string, z.core.$ZodType] => [key === 'element' ? '[]' : '', part]),
  )
}

/** Every schema inside `schema`, itself first, each once, with the path that leads there (`lines[].sku`). */
export function* everySchema(
  schema: z.core.$ZodType,
  path = '',
  seen = new Set<z.core.$ZodType>(),
): Generator<[path: string, schema: z.core.$ZodType]> {
  if (seen.has(schema)) return
  seen.add(schema)
  yield [path, schema]
  for (const [step, child] of children(schema)) {
    const dot = path && step && step !== '[]' ? '.' : ''
    yield* everySchema(child, `${path}${dot}${step}`, seen)
  }
}
