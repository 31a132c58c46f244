/**
 * The type of bytes that state none: a Blob says its own, a text is `text/plain`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.3
 */
export const defaultContentType = 'application/octet-stream'

/**
 * Asks a response for its body before anybody asks for its headers. Otherwise the server's own, lighter `Response` says
 * that any body is `text/plain`, a Blob or bytes too.
 */
export function bodyFirst(response: Response): void {
  void response.body
}
