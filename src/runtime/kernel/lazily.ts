/**
 * Returns a function that loads something at its first call, and keeps it. All calls share one load. A load that fails is
 * not kept: the next call loads again.
 *
 * @param load loads it
 * @returns what was loaded. It throws what `load` throws
 * @example
 * const zlib = lazily(() => import('node:zlib'))
 * async function zip(bytes: Uint8Array) {
 *   const { gzipSync } = await zlib()
 *   return gzipSync(bytes)
 * }
 */
export function lazily<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loading: Promise<Value> | undefined
  async function loadOnce(): Promise<Value> {
    try {
      return await load()
    } catch (error) {
      loading = undefined
      throw error
    }
  }
  return () => {
    loading ??= loadOnce()
    return loading
  }
}
