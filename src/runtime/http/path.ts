/** The path of a URL as it was sent, without its query. (Hono's own is decoded, and may contain any character.) */
export function pathOf(url: string): string {
  return /^\w+:\/\/[^/]*([^?#]*)/.exec(url)?.[1] || '/'
}
