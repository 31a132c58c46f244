import type { JSONWebKeySet } from 'jose'
import { readText } from '../read-text.ts'

const fetchMs = 5_000
/** Many times what a provider with a hundred keys sends. */
const maxBytes = 512 * 1024

/**
 * Fetches a key set, once. The connection ends with it: an idle socket would outlive the request.
 *
 * @throws {Error} for any response but a 200 with JSON of 512 KiB at most within five seconds; redirects are not followed
 */
export async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new Error(`No response within ${fetchMs} ms`)), fetchMs)
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: controller.signal,
      headers: { accept: 'application/json', connection: 'close' },
    })
    if (response.status !== 200) throw new Error(`The response is a ${response.status}, not a 200`)
    return JSON.parse(await readText(response, maxBytes))
  } finally {
    clearTimeout(timer)
    controller.abort() // a body that was not read would hold its socket
  }
}
