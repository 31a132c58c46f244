import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Context } from 'hono'
import { type StaticFile, sendStatic, staticFile } from '../http/static-file.ts'
import type { Page, PageFile } from './page.ts'

/** The content types of the files of pages. */
const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * What a page may do. It runs scripts and styles with the nonce of this response, and calls only its own origin.
 *
 * @see https://www.w3.org/TR/CSP3/
 */
const policy = {
  'default-src': "'none'",
  'script-src': "'nonce-{{nonce}}'",
  'style-src': "'nonce-{{nonce}}'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

const pages = new Map<URL, Promise<string>>()
const files = new Map<PageFile, Promise<StaticFile>>()

/**
 * Sends the HTML of a page. Each response has another nonce, so no cache may keep it.
 *
 * @throws {Error} naming a value that the HTML has and `page.values` does not give
 */
export async function sendPage(c: Context, { html, values, policy: own }: Page): Promise<Response> {
  const text = await once(pages, html, () => readFile(html, 'utf8'))
  const nonce = randomBytes(16).toString('base64')
  const directives = Object.entries({ ...policy, ...own }).map(([name, value]) => `${name} ${value}`)
  c.header('Content-Security-Policy', directives.join('; ').replaceAll('{{nonce}}', nonce))
  c.header('Cache-Control', 'no-store')
  return c.html(fill(text, { ...values?.(c), nonce }))
}

/**
 * Sends a script or a style of a page.
 *
 * @throws {Error} for a name whose ending has no known content type: a browser would guess
 */
export async function sendFile(c: Context, name: string, file: PageFile): Promise<Response> {
  const type = types[/[^.]*$/.exec(name)?.[0] ?? '']
  if (!type) throw new Error(`The page's file ${name} has no content type: name its ending in \`types\`.`)
  const read = async () =>
    staticFile(file instanceof URL ? await readFile(file) : Buffer.from(await file.read()))
  return sendStatic(c, await once(files, file, read), type)
}

/** Makes a value at the first request. After a failure, the next request retries. */
function once<Key, Value>(
  made: Map<Key, Promise<Value>>,
  key: Key,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = made.get(key)
  if (known) return known
  const value = make()
  made.set(key, value)
  value.catch(() => made.delete(key))
  return value
}

function fill(html: string, values: Readonly<Record<string, string>>): string {
  return html.replaceAll(/\{\{(\w+)\}\}/g, (_whole, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`The page has {{${name}}}, for which it gets no value.`)
    return escapeHtml(value)
  })
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character)
}
