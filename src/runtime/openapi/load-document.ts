/**
 * Describes the service as OpenAPI 3.1. Its code is loaded at the first call, so that it does not slow down the start.
 *
 * @example
 * const info = { title: 'Orders', version: '1.0.0', description: 'The orders of a shop.' }
 * const contract = await openApiDocument(mounted, { info, config, format: problemDetails })
 */
export const openApiDocument: typeof import('./document.ts').openApiDocument = async (...given) =>
  (await import('./document.ts')).openApiDocument(...given)
