import type { z } from '@hono/zod-openapi'

/**
 * The type of a body in `c.req.valid()`, under `'json'`, `'form'` or `'text'`. It includes `undefined` if the route takes
 * other types too, or if the body is not `required`.
 */
export type BodyInput<Body> = Body extends { content: infer Content }
  ? {
      [Part in Exclude<PartOf<Content, keyof Content>, 'raw'>]:
        | ValueOf<Content, Part>
        | (Body extends { required: true }
            ? Exclude<PartOf<Content, keyof Content>, Part> extends never
              ? never
              : undefined
            : undefined)
    }
  : unknown

/** How a content type is read; `raw` if the handler reads the body itself. */
type PartOf<Content, Type extends keyof Content> = Type extends keyof Content
  ? Content[Type] extends { schema: z.ZodType }
    ? Type extends 'application/json' | `${string}+json`
      ? 'json'
      : Type extends 'application/x-www-form-urlencoded' | 'multipart/form-data'
        ? 'form'
        : 'text'
    : 'raw'
  : never

type ValueOf<Content, Part> = {
  [Type in keyof Content]: PartOf<Content, Type> extends Part
    ? Content[Type] extends { schema: infer Schema extends z.ZodType }
      ? z.output<Schema>
      : never
    : never
}[keyof Content]
