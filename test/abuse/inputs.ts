import { formInputs } from './form-inputs.ts'
import { jsonInputs } from './json-inputs.ts'
import type { Kind } from './schemas.ts'

/** A request that costs as much as the limits let it. */
export interface Input {
  readonly name: string
  readonly path: string
  readonly type?: string
  readonly body?: string
  readonly headers?: Record<string, string>
  /** How many at once; 1 if absent. */
  readonly clients?: number
  /** Whether 80 clients send it for some seconds as well. */
  readonly inStorm?: boolean
  /** What it is measured against: its own body, or, where that would take longer, a right one of as many bytes. */
  readonly reference?: { readonly kind: Kind; readonly right?: string }
}

/** What has no body to be compared with. */
const others: readonly Input[] = [
  { name: 'GET /ping', path: '/ping' },
  {
    name: '3,500 unknown query keys',
    path: `/ping?${Array.from({ length: 3500 }, (_none, at) => `a${at}`).join('&')}`,
  },
  {
    name: '1,000 unknown query keys',
    path: `/ping?${Array.from({ length: 1000 }, (_none, at) => `a${at}=%41%42`).join('&')}`,
  },
  { name: '15 KiB of one header', path: '/ping', headers: { 'X-Long': 'x'.repeat(15 * 1024) } },
  { name: '20 KiB of headers', path: '/ping', headers: { 'X-Long': 'x'.repeat(20 * 1024) } },
  {
    name: '1,500 headers',
    path: '/ping',
    headers: Object.fromEntries(Array.from({ length: 1500 }, (_none, at) => [`x${at}`, '1'])),
  },
  { name: '15 KiB of cookies', path: '/cookies', headers: { Cookie: 'a=%41; '.repeat(2100) } },
  {
    name: 'a token of 15 KiB',
    path: '/auth/version',
    headers: { Authorization: `Bearer ${'a'.repeat(15 * 1024)}` },
  },
  { name: '200 × /openapi.json at once', path: '/openapi.json', clients: 200 },
  { name: 'a page of 5 MB', path: '/page' },
  { name: 'a page of 5 MB, gzip', path: '/page', headers: { 'Accept-Encoding': 'gzip' } },
  { name: 'a stream of 100 MB', path: '/flow' },
]

/** The costly inputs that were ever seen, and their like. */
export const inputs: readonly Input[] = [...jsonInputs, ...formInputs, ...others]
