import type { RouteConfig, RouteConfigToTypedResponse, z } from '@hono/zod-openapi'
import type { TypedResponse } from 'hono'
import type {
  ClientErrorStatusCode,
  RedirectStatusCode,
  ServerErrorStatusCode,
  StatusCode,
  SuccessStatusCode,
} from 'hono/utils/http-status'

/** The responses that a route declares. (zod-openapi's own type accepts any response if one of them has no content.) */
export type RouteResponse<C extends RouteConfig> = string extends keyof C['responses']
  ? Response
  : RouteConfigToTypedResponse<C> | WithoutContent<C['responses']> | WithoutSchema<C['responses']>

type WithoutContent<Responses> = {
  [Status in keyof Responses]: Responses[Status] extends { content: object }
    ? never
    : TypedResponse<null | undefined, StatusesOf<Status, keyof Responses>, 'body' | 'redirect'>
}[keyof Responses]

/** The statuses that a key of `responses` stands for: one status, a range, or, for `default`, all others. */
type StatusesOf<Key, All> = Key extends StatusCode
  ? Key
  : Key extends keyof Ranges
    ? Exclude<Ranges[Key], All>
    : Key extends 'default'
      ? Exclude<StatusCode, All | Ranges[All & keyof Ranges]>
      : never

interface Ranges {
  '2XX': SuccessStatusCode
  '3XX': RedirectStatusCode
  '4XX': ClientErrorStatusCode
  '5XX': ServerErrorStatusCode
}

/** A content type without a zod schema is sent as it is. */
type WithoutSchema<Responses> = {
  [Status in keyof Responses]: Responses[Status] extends { content: infer Content }
    ? {
        [Type in keyof Content]: Content[Type] extends { schema: z.ZodType } ? never : Response
      }[keyof Content]
    : never
}[keyof Responses]
