/** Where a request goes, and what it carries beside what its operation says. */
export interface ClientOptions extends Omit<RequestInit, 'body'> {
  body?: RequestInit['body'] | undefined
  /** The URL of the service. If absent, that of the page. */
  base?: string
  /** Sends the request in place of the global `fetch`. */
  fetch?: (url: string, options: RequestInit) => Promise<Response>
}

/** The response is none that the contract can describe, such as a proxy's page. */
export class ClientResponseError extends Error {
  override readonly name = 'ClientResponseError'
  readonly response: Response

  constructor(response: Response, options?: ErrorOptions) {
    const type = response.headers.get('content-type') ?? 'no content type'
    super(
      `${response.url} responded with ${response.status} and ${type}, which is not in the contract`,
      options,
    )
    this.response = response
  }
}

/** Sends a request, and reads the response by its content type: JSON, text, or a Blob. An error must be JSON. */
export async function clientSend<Result>(path: string, options: ClientOptions): Promise<Result> {
  const { base = '', fetch = globalThis.fetch, body = null, ...init } = options
  if (/\/\.\.?([/?]|$)/.test(path)) throw new TypeError(`A value makes ${path} the path of something else`)
  const response = await fetch(base.replace(/\/+$/, '') + path, { ...init, body })
  return { data: await clientBody(response), status: response.status, headers: response.headers } as Result
}

async function clientBody(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(type)
  if (!isJson && response.status >= 400) throw new ClientResponseError(response)
  const body = await response.blob()
  if (body.size === 0) return undefined
  if (!isJson) return /^text\//i.test(type) ? body.text() : body
  try {
    return JSON.parse(await body.text())
  } catch (cause) {
    throw new ClientResponseError(response, { cause })
  }
}
