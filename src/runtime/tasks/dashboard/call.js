/** Under which name this tab keeps the token. */
export const tokenName = 'runtime.dashboard.token'

/** Calls a route beside this page. @throws {Error} with the status, and what the problem says */
export async function call(path, { method = 'GET', headers = {}, body } = {}) {
  const token = sessionStorage.getItem(tokenName)
  const authorization = token ? { Authorization: `Bearer ${token}` } : {}
  const response = await fetch(path, { method, headers: { ...headers, ...authorization }, body })
  const said = await response.json().catch(() => ({}))
  if (response.ok) return said
  const { title = 'The service cannot respond', detail = '' } = said
  throw Object.assign(new Error(`${title}. ${detail}`.trim()), { status: response.status })
}

/** Whether there is a token, or a cookie may carry one. */
export function mayCall() {
  return sessionStorage.getItem(tokenName) !== null || document.body.dataset.cookie === 'true'
}

/** The header of a request that is to happen once. */
export function once() {
  return { 'Idempotency-Key': Array.from(crypto.getRandomValues(new Uint32Array(4))).join('-') }
}
