import type { JSONWebKeySet } from 'jose'
import { callOnce } from '../kernel/call-once.ts'

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
    const headers = { accept: 'application/json' }
    const { status, text } = await callOnce(url, { headers, signal: controller.signal, maxBytes })
    if (status !== 200) throw new Error(`The response is a ${status}, not a 200`)
    return JSON.parse(text)
  } finally {
    clearTimeout(timer)
  }
}
