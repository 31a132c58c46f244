import { z } from '@hono/zod-openapi'
import { everySchema } from './walk.ts'

type FileCheck = z.core.$ZodCheckMimeTypeDef | z.core.$ZodCheckMaxSizeDef

/** The files that a route takes. */
export interface FileOptions {
  /**
   * The accepted content types, such as `image/png`; any if absent. The client states the type: the bytes may be something
   * else.
   */
  readonly types?: readonly `${string}/${string}`[]
  /** The limit of a file, in bytes. The route's `bodyLimit` must be larger, and is the limit if this is absent. */
  readonly maxBytes?: number
  readonly description?: string
}

/**
 * A file in a form of type `multipart/form-data`. The handler gets a `File` by `c.req.valid('form')`. For several files,
 * write `z.array(file())`. `file().optional()` is also absent if a browser sends an empty field, without a chosen file.
 *
 * @example
 * const Profile = z.strictObject({ photo: file({ types: ['image/png', 'image/jpeg'], maxBytes: 500_000 }) })
 * const request = { body: { required: true, content: { 'multipart/form-data': { schema: Profile } } } }
 */
export function file({ types, maxBytes, description }: FileOptions = {}) {
  let schema = z.file()
  if (types) schema = schema.mime([...types], `must be a file of type ${types.join(' or ')}`)
  if (maxBytes !== undefined) schema = schema.max(maxBytes, `may have ${maxBytes} bytes at most`)
  return description === undefined ? schema : schema.openapi({ description })
}

/** The files inside a schema: their content types (any, if empty), and their limits in bytes. */
export function filesIn(
  schema: z.core.$ZodType,
): { types: readonly string[]; maxBytes: number | undefined }[] {
  const files = everySchema(schema)
    .map(([, inner]) => inner)
    .filter((inner) => inner instanceof z.ZodFile)
  return files.map((inner) => {
    const checks = (inner.def.checks ?? []).map(({ _zod }) => _zod.def as FileCheck)
    const sizes = checks.flatMap((check) => (check.check === 'max_size' ? [check.maximum] : []))
    return {
      types: checks.flatMap((check) => (check.check === 'mime_type' ? check.mime : [])),
      maxBytes: sizes.length > 0 ? Math.min(...sizes) : undefined,
    }
  })
}
