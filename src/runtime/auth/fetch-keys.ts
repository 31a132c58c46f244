import type { JSONWebKeySet } from 'jose'
import { sendRequest } from '../kernel/send-request.ts'

const timeoutMs = 5_000
/** Many times the size of a hundred keys. */
const maxBytes = 512 * 1024

/**
 * Fetches a key set. Redirects are not followed.
 *
 * @throws {Error} for any response but a 200 with JSON, of 512 KiB at most, within five seconds
 */
export async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new Error(`No response within ${timeoutMs} ms`)), timeoutMs)
  try {
    const headers = { accept: 'application/json' }
    const { status, text } = await sendRequest(url, { headers, signal: controller.signal, maxBytes })
    if (status !== 200) throw new Error(`The response has the status ${status}, not 200`)
    return JSON.parse(text)
  } finally {
    clearTimeout(timer)
  }
}
