import { z } from '@hono/zod-openapi'
import { everySchema } from './walk.ts'

type FileCheck = z.core.$ZodCheckMimeTypeDef | z.core.$ZodCheckMaxSizeDef

/** What a route takes as a file. */
export interface FileOptions {
  /** The content types that are taken, such as `image/png`; any if absent. It is what the client states, not what is in the file. */
  readonly types?: readonly `${string}/${string}`[]
  /** The route's `bodyLimit` must be larger; it is the limit if absent. */
  readonly maxBytes?: number
  readonly description?: string
}

/**
 * A file of a form, which is `multipart/form-data`: the handler gets a `File` by `c.req.valid('form')`. Several files
 * are `z.array(file())`; `file().optional()` is also absent where a browser sends the empty field of no chosen file.
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

/** The files inside a schema: the content types that are taken (any if none), and the bytes, where they are limited. */
export function filesIn(
  schema: z.core.$ZodType,
): { types: readonly string[]; maxBytes: number | undefined }[] {
  const files = [...everySchema(schema)]
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
