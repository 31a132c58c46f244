/**
 * The content type of a body of bytes without a type. (A Blob has a type, and a text is `text/plain`.)
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.3
 */
export const defaultContentType = 'application/octet-stream'

/**
 * Reads the `body` of a response before its headers. Otherwise the headers of the server's lighter `Response` say
 * `text/plain` for any body, also for a Blob or bytes.
 */
export function bodyFirst(response: Response): void {
  void response.body
}
