import { lazily } from '../kernel/lazily.ts'
import { Problem, problems } from '../kernel/problem.ts'
import { handlePlain, type PlainOperation } from '../routes/route.ts'
import type { Page } from './page.ts'

/**
 * Creates the routes of a page: the page itself, and its files below it. They are public, because a browser opens a page
 * without a token. What a page shows comes from other routes, which ask for a token.
 *
 * @param path where the page is. It loads its files relative to this path
 * @param load loads the page, at its first request: `async () => (await import('./docs-page.ts')).docsPage()`
 */
export function pageRoutes(path: string, load: () => Promise<Page>): PlainOperation[] {
  const sender = async () => import('./send-page.ts') // at the first request, so that the start does not load it
  const page = lazily(load)
  return [
    handlePlain({ method: 'get', path, security: 'public' }, async (c) =>
      (await sender()).sendPage(c, await page()),
    ),
    handlePlain({ method: 'get', path: `${path}/:file`, security: 'public' }, async (c) => {
      const { files } = await page()
      const name = c.req.param('file') ?? ''
      const file = Object.hasOwn(files, name) ? files[name] : undefined
      if (!file) throw new Problem(problems.NOT_FOUND, { detail: `There is no route ${c.req.path}.` })
      return (await sender()).sendFile(c, name, file)
    }),
  ]
}
