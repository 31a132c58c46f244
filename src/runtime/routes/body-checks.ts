import { z } from '@hono/zod-openapi'
import { isJson, isMediaType } from '../http/media-type.ts'
import type { DeclaredBody } from '../http/read-body.ts'
import { isForm } from '../http/read-form.ts'
import type { Operation, PlainOperation } from './route.ts'

/**
 * Refuses a body that no request can send, that would not be checked, or that the contract would not show as it is read.
 * Refuses wrong media types and wrong limits.
 *
 * @param routeName the method and the path, for the message
 * @throws {Error} naming the route, and what to write instead
 */
export function checkBody(routeName: string, { kind, route }: Operation | PlainOperation): void {
  checkLimit(routeName, 'bodyLimit', route.bodyLimit)
  checkLimit(routeName, 'bodyValues', route.bodyValues)
  checkLimit(routeName, 'bodyFiles', route.bodyFiles)
  if (kind === 'plain') return
  for (const response of Object.values(route.responses))
    for (const type of Object.keys(response.content ?? {}))
      if (!isMediaType(type.replace(/;.*/, '').trim().toLowerCase()))
        throw new Error(
          `${routeName} declares a response of the type "${type}", which is not a media type: ${such}.`,
        )
  const body = route.request?.body
  if (body) checkStatedBody(routeName, route.method, body)
  const types = Object.keys(body?.content ?? {})
  if (route.bodyValues !== undefined && !types.some(isJson))
    throw new Error(`${routeName} declares bodyValues, but takes no JSON: leave it out.`)
  if (route.bodyFiles !== undefined && !types.includes('multipart/form-data'))
    throw new Error(`${routeName} declares bodyFiles, but takes no multipart/form-data: leave it out.`)
}

const such = 'write one such as application/json'

function checkLimit(routeName: string, name: string, limit: number | undefined): void {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit > 0)) return
  throw new Error(`${routeName} declares the ${name} ${limit}: write a whole number above 0.`)
}

function checkStatedBody(routeName: string, method: string, { content }: DeclaredBody): void {
  if (method === 'get')
    throw new Error(
      `${routeName} declares a body, but GET has none: write post, or put it into request.query.`,
    )
  const types = Object.entries(content)
  if (types.length === 0)
    throw new Error(`${routeName} declares a body without a media type: add one to its content, ${such}.`)
  for (const [type, media] of types) {
    checkType(routeName, type)
    checkSchema(routeName, type, media && 'schema' in media ? media.schema : undefined)
  }
}

function checkType(routeName: string, type: string): void {
  if (isMediaType(type)) return
  const plain = type.replace(/;.*/, '').trim().toLowerCase()
  const mend = isMediaType(plain) ? `write "${plain}"` : such
  const why = type.includes(';')
    ? 'with parameters, which are not compared'
    : isMediaType(plain)
      ? 'which is not in lower case'
      : 'which is not a media type'
  throw new Error(`${routeName} declares a body of the type "${type}", ${why}: ${mend}.`)
}

function checkSchema(routeName: string, type: string, schema: unknown): void {
  const isChecked = schema instanceof z.ZodType
  const where = `${routeName} takes ${type}`
  if (isJson(type) || isForm(type)) {
    if (!isChecked) throw new Error(`${where} without a zod schema: write z.unknown() to take anything.`)
  } else if (isChecked && !takesText(schema)) {
    throw new Error(
      `${where} with a zod schema that is not text, but such a body is read as text: write z.string(), or leave the schema out and ` +
        'read the body by c.req.arrayBuffer(), c.req.blob() or c.req.text().',
    )
  }
}

function takesText(schema: z.ZodType): boolean {
  const { type, format } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return type === 'string' && format !== 'binary'
}
