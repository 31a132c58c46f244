import type { z } from 'zod'

const httpStatus = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
}

/** A refusal as Google's REST API words it: `{ error: { code, message, status } }`. */
export class ApiError extends Error {
  readonly status: keyof typeof httpStatus

  constructor(status: keyof typeof httpStatus, message: string) {
    super(message)
    this.status = status
  }

  /** The answer, under the status that goes with it. */
  toResponse(): Response {
    const code = httpStatus[this.status]
    return Response.json({ error: { code, message: this.message, status: this.status } }, { status: code })
  }
}

/** Refuses with this message unless `holds`. @throws {ApiError} */
export function demand(
  holds: unknown,
  message: string,
  status: ApiError['status'] = 'INVALID_ARGUMENT',
): asserts holds {
  if (!holds) throw new ApiError(status, message)
}

/** Reads what a client sent. @throws {ApiError} INVALID_ARGUMENT, with the first of the schema's messages */
export function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(given)
  demand(success, error?.issues[0]?.message ?? 'Invalid value.')
  return data
}
