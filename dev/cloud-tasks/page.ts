import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'

/** The page calls nothing but the emulator, and runs nothing but its own script. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"

/** What a person opens in a browser: the queues, the tasks and the deliveries of the emulator, and what changes them. */
export function createPage(): Hono {
  const send = (file: URL, type: string) => async (c: Context) => {
    const headers = { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' }
    return c.body(await readFile(file, 'utf8'), 200, { ...headers, 'Content-Security-Policy': policy })
  }
  return new Hono()
    .get('/', send(new URL('./page/page.html', import.meta.url), 'text/html'))
    .get('/page.js', send(new URL('./page/page.js', import.meta.url), 'text/javascript'))
    .get('/page.css', send(new URL('./page/page.css', import.meta.url), 'text/css'))
}
