import type { Config } from '../../config/config.ts'
import { describeVersion } from '../../config/version.ts'
import type { Page } from '../../pages/page.ts'

/** The live page of the background work. It holds no data: it asks the routes for operators, with the caller's token. */
export function dashboardPage(config: Config): Page {
  const { service, environment } = describeVersion(config)
  return {
    html: new URL('./dashboard.html', import.meta.url),
    files: {
      'dashboard.css': new URL('./dashboard.css', import.meta.url),
      'call.js': new URL('./call.js', import.meta.url),
      'dashboard.js': new URL('./dashboard.js', import.meta.url),
      'dom.js': new URL('./dom.js', import.meta.url),
      'show.js': new URL('./show.js', import.meta.url),
      'show-batches.js': new URL('./show-batches.js', import.meta.url),
      'show-tasks.js': new URL('./show-tasks.js', import.meta.url),
    },
    values: () => ({
      ...{ service, environment },
      cookie: config.AUTH_COOKIE ? 'true' : 'false',
      token: config.DOCS_TOKEN ?? '',
    }),
    // what comes from the database can only become text
    policy: { 'require-trusted-types-for': "'script'", 'trusted-types': "'none'" },
  }
}
