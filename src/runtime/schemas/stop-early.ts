import { z } from '@hono/zod-openapi'
import type { FirstOnly } from '../http/validation.ts'
import { everySchema } from './walk.ts'

type Run = z.core.$ZodType['_zod']['run']

const marked = new WeakSet<object>()

/** A record that is being looked at. */
interface Frame {
  readonly item: z.core.$ZodType
  /** Whether an item did not fit, so that the others need not be looked at. */
  hasFailed: boolean
  /** Whether an item is being looked at: what has the same schema inside it is none of the record's. */
  isInside: boolean
}

/** The innermost. */
let frame: Frame | undefined

/**
 * Makes a schema stop at the first item that does not fit, where it is asked to (see `FirstOnly`). zod's `abortEarly`
 * stops at what it cannot go on from, such as a wrong type, but lists every string that is too short: an array of
 * 100,000 of them, 30 levels down, takes seconds.
 */
export function stopEarly(schema: z.core.$ZodType): void {
  const all = [...everySchema(schema)].map(([, inner]) => inner)
  // first: a record that is an item itself is left out before it begins
  for (const inner of all) if (inner instanceof z.ZodRecord) frameRecord(inner)
  for (const inner of all) {
    const item = itemOf(inner)
    if (!item || marked.has(item)) continue
    marked.add(item)
    item._zod.run = stopping(item)
  }
}

function frameRecord(record: z.ZodRecord): void {
  const { keyType, valueType } = record.def
  if (marked.has(record.def)) return
  marked.add(record.def)
  const isApart = [...everySchema(keyType)].every(([, part]) => part !== valueType)
  if (isApart) record._zod.run = framed(record._zod.run, valueType)
}

/** The schema that a schema asks once for each item of a value. */
function itemOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.def.element
  if (schema instanceof z.ZodRecord) return schema.def.valueType
  if (schema instanceof z.ZodTuple) return schema.def.rest ?? undefined
  return schema instanceof z.ZodObject ? schema.def.catchall : undefined
}

/** A record of zod's asks for every item; once one does not fit, the others are given back as they are. */
function framed(run: Run, item: z.core.$ZodType): Run {
  return function runRecord(payload, context) {
    const outer = frame
    frame = { item, hasFailed: false, isInside: false }
    try {
      return run(payload, context)
    } finally {
      frame = outer
    }
  }
}

function stopping(item: z.core.$ZodType): Run {
  const { run } = item._zod
  return function runItem(payload, context) {
    if (!(context as FirstOnly).firstOnly) return run(payload, context)
    const record = frame?.item === item && !frame.isInside ? frame : undefined
    if (record?.hasFailed) return payload
    if (record) record.isInside = true
    const result = run(payload, context)
    if (record) record.isInside = false
    if ('issues' in result && result.issues.length > 0) {
      const first = result.issues.find(isFinal)
      if (first) result.issues = [first]
      if (first && record) record.hasFailed = true
      for (const issue of result.issues) Object.assign(issue, { continue: false })
    }
    return result
  }
}

/** Whether no other side of an intersection can take back what is wrong: a key that one does not know, the other may. */
function isFinal({ code }: z.core.$ZodRawIssue): boolean {
  return code !== 'unrecognized_keys' && code !== 'invalid_key'
}
