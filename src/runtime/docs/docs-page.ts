import type { Config } from '../config/config.ts'
import type { Page } from '../pages/page.ts'
import { scalarScript } from './scalar-script.ts'

/** The page of the contract. */
export function docsPage(options: { title: string; config: Pick<Config, 'DOCS_TOKEN'> }): Page {
  const { title, config } = options
  return {
    html: new URL('./docs.html', import.meta.url),
    files: {
      'docs.js': new URL('./docs.js', import.meta.url),
      'docs.css': new URL('./docs.css', import.meta.url),
      'scalar.js': { read: scalarScript },
    },
    policy: { 'style-src-attr': "'unsafe-inline'" }, // Scalar writes attributes `style`, which can have no nonce
    values: () => ({ title, token: config.DOCS_TOKEN ?? '' }),
  }
}
