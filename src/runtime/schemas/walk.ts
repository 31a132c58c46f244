import { z } from '@hono/zod-openapi'

type Child = readonly [step: string, schema: z.core.$ZodType]

/** Each schema is looked into by several checks of each start, and by each route that has it. */
const known = new WeakMap<z.core.$ZodType, readonly Child[]>()

/**
 * The schemas directly inside a schema, each with its step: a key, `[]`, or an empty text inside a wrapper such as
 * `.optional()`.
 */
export function children(schema: z.core.$ZodType): readonly Child[] {
  const found = known.get(schema) ?? findChildren(schema)
  known.set(schema, found)
  return found
}

function findChildren(schema: z.core.$ZodType): readonly Child[] {
  if (schema instanceof z.ZodObject) {
    const { shape, catchall } = schema.def
    const parts: Child[] = Object.entries(shape)
    return catchall ? [...parts, ['*', catchall]] : parts
  }
  if (schema instanceof z.ZodLazy) return [['', schema._zod.innerType]]
  const parts: Child[] = []
  for (const [key, value] of Object.entries(schema._zod.def))
    for (const part of Array.isArray(value) ? value : [value])
      if (typeof part === 'object' && part instanceof z.core.$ZodType)
        parts.push([key === 'element' ? '[]' : '', part])
  return parts
}

/**
 * All schemas inside `schema`, itself first, each once, with its path, such as `lines[].sku`.
 *
 * @param seen schemas that are left out with all inside them. It gets those that are found
 */
export function everySchema(
  schema: z.core.$ZodType,
  seen = new Set<z.core.$ZodType>(),
): [path: string, schema: z.core.$ZodType][] {
  const all: [string, z.core.$ZodType][] = []
  collect(schema, '', seen, all)
  return all
}

function collect(
  schema: z.core.$ZodType,
  path: string,
  seen: Set<z.core.$ZodType>,
  all: [string, z.core.$ZodType][],
): void {
  if (seen.has(schema)) return
  seen.add(schema)
  all.push([path, schema])
  for (const [step, child] of children(schema)) {
    const dot = path && step && step !== '[]' ? '.' : ''
    collect(child, `${path}${dot}${step}`, seen, all)
  }
}

/**
 * Finds an asynchronous refinement or transformation: it would fail at its first use, because checks are synchronous. One
 * inside `.superRefine()` cannot be detected.
 *
 * @param seen as for `everySchema`
 * @returns the path of the schema that has one
 */
export function asyncPart(schema: z.core.$ZodType, seen?: Set<z.core.$ZodType>): string | undefined {
  for (const [path, inner] of everySchema(schema, seen)) {
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
