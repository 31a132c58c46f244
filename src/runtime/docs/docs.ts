import type { Config } from '../config/config.ts'
import { pageRoutes } from '../pages/page-routes.ts'
import { defineRouteGroup, type RouteGroup } from '../routes/route-group.ts'

/**
 * The page on which a person reads the contract and tries it: `/docs`, unless DOCS is false. It loads at its first request.
 *
 * @param options.title the title of the page
 * @returns nothing to mount where the page is off
 * @example
 * const [docs] = docsFeatures({ title: 'Orders', config })
 */
export function docsFeatures(options: {
  title: string
  config: Pick<Config, 'DOCS' | 'DOCS_TOKEN'>
}): RouteGroup[] {
  if (!options.config.DOCS) return []
  return [
    defineRouteGroup({
      name: 'runtime.docs',
      description: 'The contract, for a person to read and to try.',
      routes: () => pageRoutes('/docs', async () => (await import('./docs-page.ts')).docsPage(options)),
    }),
  ]
}
