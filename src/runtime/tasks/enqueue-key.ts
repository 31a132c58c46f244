/**
 * Refuses a key that an index of PostgreSQL cannot hold: more than 2,704 bytes, or a NUL.
 *
 * @param what the key, for the message
 * @throws {TypeError} naming the task
 */
export function checkKey({ name }: { readonly name: string }, key: unknown, what = 'its key'): void {
  const fits = typeof key === 'string' && Buffer.byteLength(key) <= 1000
  if (fits && key.isWellFormed() && !key.includes('\0')) return
  throw new TypeError(`The task ${name}: ${what} must be text of at most 1,000 bytes, without NUL.`)
}
