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
  /** The JSON, and whose schema, that it is measured against: of as many bytes. Its own body if only the kind is given. */
  readonly reference?: { readonly kind: Kind; readonly text?: string }
}

const mebibyte = 1024 * 1024
const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

/** A list of this item, of so many bytes. */
export function listOf(item: string, bytes = mebibyte): string {
  const count = Math.floor((bytes - 2) / (item.length + 1))
  return `[${`${item},`.repeat(count - 1)}${item}]`
}

/** An object of keys that differ. */
function recordOf(bytes: number): string {
  const pairs: string[] = []
  for (let at = 0, size = 2; size < bytes - 16; at++) size += pairs.push(`"k${at.toString(36)}":1`) && 10
  return `{${pairs.join(',')}}`
}

const tags = 'tag=1&'.repeat(40_000)
const part = '--x\r\nContent-Disposition: form-data; name="tag"\r\n\r\n1\r\n'
const parts = `${part.repeat(15_000)}--x--`
const strings = (bytes: number) => ({ kind: 'texts', text: listOf('"1"', bytes) }) as const
const inText = (what: string) => `{"text":"${what.repeat(Math.floor((mebibyte - 11) / what.length))}"}`
const multipart = 'multipart/form-data; boundary=x'

/** The costly inputs that were ever seen, and their like. */
export const inputs: readonly Input[] = [
  { name: 'GET /ping', path: '/ping' },
  { name: 'form, 40,000 × tag=1', path: '/form', type: form, body: tags, reference: strings(tags.length) },
  {
    name: 'multipart, 15,000 parts',
    path: '/form',
    type: multipart,
    body: parts,
    reference: strings(parts.length),
  },
  {
    name: 'the same on a plain route',
    path: '/plain-form',
    type: multipart,
    body: parts,
    reference: strings(parts.length),
  },
  {
    name: '349,525 wrong items',
    path: '/texts',
    type: json,
    body: listOf('{}'),
    reference: { kind: 'texts' },
  },
  {
    name: '524,287 wrong items',
    path: '/texts',
    type: json,
    body: listOf('0'),
    reference: { kind: 'texts' },
  },
  {
    name: '1 MiB of zeros',
    path: '/integers',
    type: json,
    body: listOf('0'),
    reference: { kind: 'integers' },
  },
  {
    name: '80 × 1 MiB of zeros at once',
    path: '/integers',
    type: json,
    body: listOf('0'),
    clients: 80,
    reference: { kind: 'integers' },
  },
  {
    name: '1 MiB of integers',
    path: '/integers',
    type: json,
    body: listOf('1234567'),
    reference: { kind: 'integers' },
  },
  {
    name: '99,999 integers',
    path: '/integers',
    type: json,
    body: listOf('1', 200_000),
    reference: { kind: 'integers' },
  },
  {
    name: '1 MiB of empty objects',
    path: '/objects',
    type: json,
    body: listOf('{}'),
    reference: { kind: 'objects' },
  },
  {
    name: '99,999 empty objects',
    path: '/objects',
    type: json,
    body: listOf('{}', 300_000),
    reference: { kind: 'objects' },
  },
  {
    name: '1 MiB of keys',
    path: '/record',
    type: json,
    body: recordOf(mebibyte),
    reference: { kind: 'record' },
  },
  {
    name: 'a key of 1 MiB',
    path: '/text',
    type: json,
    body: `{"${'k'.repeat(mebibyte - 6)}":1}`,
    reference: { kind: 'text' },
  },
  { name: 'a text of 1 MiB', path: '/text', type: json, body: inText('x'), reference: { kind: 'text' } },
  {
    name: '1 MiB of \\u0041',
    path: '/text',
    type: json,
    body: inText('\\u0041'),
    reference: { kind: 'text' },
  },
  {
    name: '1 MiB of \\u0000',
    path: '/text',
    type: json,
    body: inText('\\u0000'),
    reference: { kind: 'text' },
  },
  {
    name: '1 MiB of [',
    path: '/texts',
    type: json,
    body: '['.repeat(mebibyte),
    reference: { kind: 'texts', text: listOf('[]') },
  },
  {
    name: '1 MiB of [[…]]',
    path: '/texts',
    type: json,
    body: '['.repeat(mebibyte / 2) + ']'.repeat(mebibyte / 2),
    reference: { kind: 'texts', text: listOf('[]') },
  },
  {
    name: '1 MiB of "',
    path: '/texts',
    type: json,
    body: '"'.repeat(mebibyte),
    reference: { kind: 'texts', text: listOf('""') },
  },
  {
    name: '1 MiB of blanks',
    path: '/texts',
    type: json,
    body: `${' '.repeat(mebibyte - 2)}[]`,
    reference: { kind: 'texts' },
  },
  {
    name: '3,500 unknown query keys',
    path: `/ping?${Array.from({ length: 3500 }, (_none, at) => `a${at}`).join('&')}`,
  },
  { name: '15 KiB of one header', path: '/ping', headers: { 'X-Long': 'x'.repeat(15 * 1024) } },
  { name: '20 KiB of headers', path: '/ping', headers: { 'X-Long': 'x'.repeat(20 * 1024) } },
  {
    name: '1,500 headers',
    path: '/ping',
    headers: Object.fromEntries(Array.from({ length: 1500 }, (_none, at) => [`x${at}`, '1'])),
  },
  { name: '15 KiB of cookies', path: '/ping', headers: { Cookie: 'a=%00; '.repeat(2100) } },
  {
    name: 'a token of 15 KiB',
    path: '/auth/version',
    headers: { Authorization: `Bearer ${'a'.repeat(15 * 1024)}` },
  },
  { name: '200 × /openapi.json at once', path: '/openapi.json', clients: 200 },
  { name: 'a page of 5 MB', path: '/page' },
  {
    name: '80 × a page of 5 MB at once, gzip',
    path: '/page',
    clients: 80,
    headers: { 'Accept-Encoding': 'gzip' },
  },
  { name: 'a stream of 100 MB', path: '/flow' },
]
