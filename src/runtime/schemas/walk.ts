import { z } from '@hono/zod-openapi'

/**
 * The schemas directly inside a schema, each with its step: a key, `[]`, or an empty text inside a wrapper such as
 * `.optional()`.
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

/** All schemas inside `schema`, itself first, each once, with its path, such as `lines[].sku`. */
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

/**
 * Finds an asynchronous refinement or transformation: it would fail at its first use, because checks are synchronous. One
 * inside `.superRefine()` cannot be detected.
 *
 * @returns the path of the schema that has one
 */
export function asyncPart(schema: z.core.$ZodType): string | undefined {
  for (const [path, inner] of everySchema(schema)) {
    const { transform, fn, checks = [] }: Work & { checks?: z.core.$ZodCheck<never>[] } = inner._zod.def
    const all = [transform, fn, ...checks.flatMap(({ _zod }) => [_zod.check, (_zod.def as Work).fn])]
    if (all.some((work) => work?.constructor.name === 'AsyncFunction')) return path
  }
  return undefined
}

interface Work {
  readonly transform?: object
  readonly fn?: object
}
