/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.1 */
const notInName = /[^!#$%&'*+\-.^_`|~\dA-Za-z]/
/**
 * Characters that a header cannot have: all but tab, visible ASCII, and the bytes above, which Node writes as Latin-1.
 * (`Headers` accepts control characters, which Node refuses to write.)
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5
 */
const notInValue = /[^\t\x20-\x7e\x80-\xff]/

/**
 * Refuses a header that HTTP cannot carry.
 *
 * @throws {Error} naming the header, never its value
 */
export function checkHeader(name: string, value: unknown): void {
  if (name === '' || notInName.test(name))
    throw new Error(`The response has a header whose name HTTP cannot carry: ${JSON.stringify(name)}.`)
  if (typeof value !== 'string')
    throw new Error(`The response’s header ${name} is ${typeof value}: leave it out, or make it a string.`)
  const position = value.search(notInValue)
  if (position < 0) return
  throw new Error(
    `The response’s header ${name} has a character that HTTP cannot carry (at ${position}): ` +
      'encode it by encodeURIComponent(), a Location by location().',
  )
}

/**
 * Refuses a status that a response cannot have. (Node sends 1xx itself, and 599 is the highest.)
 *
 * @throws {Error} naming the status
 */
export function checkStatus(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return
  throw new Error(`The response has the status ${status}: it must be 200 to 599.`)
}

/**
 * Refuses a response whose head cannot be sent, or does not fit its body.
 *
 * @param length the length of the body in bytes; absent if it is not known yet
 * @param toHead whether it is the response to a HEAD request, which has a Content-Length but no body
 * @throws {Error} naming what is wrong
 */
export function checkHead(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  length?: number,
  toHead = false,
): void {
  checkStatus(status)
  for (const [name, value] of headers) checkHeader(name, value)
  const stated = headers.get('content-length')
  if (stated === null) return
  if (status === 204) throw new Error('The response is a 204, which may not have a Content-Length.')
  if (!/^\d{1,15}$/.test(stated)) throw new Error('The response’s Content-Length is not a number of bytes.')
  if (length === undefined || Number(stated) === length || (length === 0 && (toHead || status === 304)))
    return
  throw new Error(`The response’s Content-Length is ${stated}, but its body has ${length} bytes.`)
}
