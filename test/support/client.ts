/** Something that answers requests: an app in this process, or the URL of one elsewhere. */
export type Target = string | { fetch: (request: Request) => Response | Promise<Response> }

/** A request's parts; `json` is the body with its content type. */
export interface ClientRequest {
  method?: string
  headers?: Record<string, string>
  json?: unknown
  body?: NonNullable<RequestInit['body']>
}

/** Sends a request: `api('/notes', { json: {…} })` is a POST, without a body a GET. */
export type Api = (path: string, request?: ClientRequest) => Promise<Response>

/**
 * A client of an app or a URL.
 *
 * @param headers go with every request, such as those of `as()`
 */
export function client(target: Target, headers: Record<string, string> = {}): Api {
  return async function api(path, { json, ...request } = {}) {
    const body = json === undefined ? request.body : JSON.stringify(json)
    const type = json === undefined ? {} : { 'Content-Type': 'application/json' }
    const init: RequestInit & { duplex: 'half' } = {
      method: request.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...headers, ...type, ...request.headers },
      redirect: 'manual',
      duplex: 'half', // a body that is a stream needs it
      ...(body !== undefined && { body }),
    }
    if (typeof target === 'string') return fetch(new URL(path, target), init)
    return target.fetch(new Request(new URL(path, 'http://localhost'), init))
  }
}
