export const mebibyte = 1024 * 1024

/** A list of this item, of so many bytes. */
export function listOf(item: string, bytes = mebibyte): string {
  const count = Math.floor((bytes - 2) / (item.length + 1))
  return `[${`${item},`.repeat(count - 1)}${item}]`
}

/** An object of so many keys that differ, each with this value. */
export function recordOf(value: string, count: number): string {
  return `{${Array.from({ length: count }, (_none, at) => `"${keyOf(at)}":${value}`).join(',')}}`
}

/** A record whose values are records of 100 keys. */
export function recordsOf(value: string, count: number): string {
  return recordOf(recordOf(value, 100), Math.floor(count / 101))
}

/** Four characters, of 46,656 and more that differ. */
function keyOf(at: number): string {
  return at.toString(36).padStart(4, 'k')
}
