import { getOpenApiMetadata } from '@asteasolutions/zod-to-openapi'
import { z } from '@hono/zod-openapi'
import { namesIn, partsOf } from '../http/fields.ts'
import { filesIn } from '../schemas/file.ts'
import type { Direction, Json, SchemaWriter } from '../schemas/json-schema.ts'

/** Writes media types with their schemas. A media type without an example gets that of its schema. */
export function contentOf(content: object, io: Direction, place: string, writer: SchemaWriter): Json {
  const shown = Object.entries(content).map(([type, media]: [string, { schema?: unknown }]) => {
    const { schema } = media
    if (!(schema instanceof z.ZodType)) return [type, media]
    const { example } = getOpenApiMetadata(schema)
    const own = 'example' in media || 'examples' in media || example === undefined
    const written = writer.write(schema, io, `${place} (${io === 'input' ? 'body' : 'response'})`)
    const encoding = type.toLowerCase() === 'multipart/form-data' ? encodingOf(schema) : {}
    const isEncoded = Object.keys(encoding).length > 0
    return [type, { ...(isEncoded && { encoding }), ...media, ...(!own && { example }), schema: written }]
  })
  return Object.fromEntries(shown)
}

/**
 * The content types of a form's files, by field.
 *
 * @see https://spec.openapis.org/oas/v3.1.0#encoding-object
 */
function encodingOf(form: z.ZodType): Record<string, { contentType: string }> {
  const fields = [...namesIn(form)].map((name): [string, string[]] => [
    name,
    partsOf(form, name)
      .flatMap(filesIn)
      .flatMap(({ types }) => types),
  ])
  return Object.fromEntries(
    fields
      .filter(([, types]) => types.length > 0)
      .map(([name, types]) => [name, { contentType: types.join(', ') }]),
  )
}
