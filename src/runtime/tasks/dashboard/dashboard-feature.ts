import type { Config } from '../../config/config.ts'
import { pageRoutes } from '../../pages/page-routes.ts'
import { defineRouteGroup, type RouteGroup } from '../../routes/route-group.ts'

/** The dashboard: a page for operators. Its files are loaded at its first request. */
export function dashboardFeature(config: Config): RouteGroup {
  return defineRouteGroup({
    name: 'runtime.dashboard',
    description: 'The live page of the background work.',
    internal: true,
    routes: () =>
      pageRoutes('/runtime/dashboard', async () =>
        (await import('./dashboard-page.ts')).dashboardPage(config),
      ),
  })
}
