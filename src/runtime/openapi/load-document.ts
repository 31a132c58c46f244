/**
 * Describes the service as OpenAPI 3.1. Its code is loaded at the first call, so that it does not slow down the start.
 */
export const openApiDocument: typeof import('./document.ts').openApiDocument = async (...given) =>
  (await import('./document.ts')).openApiDocument(...given)
