/** Reads `NAME=value`, as many as there are. */
export function pairs(list: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(list.map((pair) => pair.split(/=(.*)/s).slice(0, 2)))
}
