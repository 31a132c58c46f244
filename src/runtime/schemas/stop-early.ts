import { z } from '@hono/zod-openapi'
import type { FirstOnly } from '../http/validation.ts'
import { everySchema } from './walk.ts'

type Run = z.core.$ZodType['_zod']['run']

const marked = new WeakSet<object>()

/** A record that is being checked. */
interface Frame {
  readonly item: z.core.$ZodType
  /** Whether an item did not fit, so that the others need no check. */
  hasFailed: boolean
  /** Whether an item is being checked. If its schema runs again meanwhile, it runs for a value inside the item. */
  isInside: boolean
}

/** The innermost record that is being checked. */
let frame: Frame | undefined

/**
 * Makes a schema stop at the first item that does not fit, if the context asks for it (see `FirstOnly`). zod's
 * `abortEarly` stops only at some errors, such as a wrong type. It lists every string that is too short: an array of
 * 100,000 of them, nested 30 levels deep, takes seconds.
 */
export function stopEarly(schema: z.core.$ZodType): void {
  const all = everySchema(schema).map(([, inner]) => inner)
  // records first: one that is an item itself is skipped before it starts
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
  const isApart = everySchema(keyType).every(([, part]) => part !== valueType)
  if (isApart) record._zod.run = framed(record._zod.run, valueType)
}

/** The schema that runs once for each item of a value. */
function itemOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.def.element
  if (schema instanceof z.ZodRecord) return schema.def.valueType
  if (schema instanceof z.ZodTuple) return schema.def.rest ?? undefined
  return schema instanceof z.ZodObject ? schema.def.catchall : undefined
}

/** Wraps a record. zod runs every item. After the first one that does not fit, this lets the others pass unchecked. */
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

/** Whether the error stands even in an intersection: a key that one side does not know, the other side may know. */
function isFinal({ code }: z.core.$ZodRawIssue): boolean {
  return code !== 'unrecognized_keys' && code !== 'invalid_key'
}
