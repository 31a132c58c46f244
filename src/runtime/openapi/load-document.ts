/**
 * Describes the service as OpenAPI 3.1. The code that does it is loaded when it is first asked for: no start waits for it.
 */
export const openApiDocument: typeof import('./document.ts').openApiDocument = async (...given) =>
  (await import('./document.ts')).openApiDocument(...given)
