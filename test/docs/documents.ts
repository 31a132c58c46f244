import { expect } from 'vitest'

/** Documents of other services, by the feature that is made from them: Swagger 2, OpenAPI 3.0 and 3.1. */
export const documents = {
  shop: 'shop.swagger2.yaml',
  library: 'library.openapi30.yaml',
  trees: 'trees.openapi31.json',
}

/**
 * Expects what is made from them.
 *
 * @param said what the commands printed
 * @param read reads a file of the fork
 */
export async function expectDocuments(said: string, read: (path: string) => Promise<string>): Promise<void> {
  expect(await read('src/shop/shop.ts')).toContain(
    '// shop.api.do_list_items\n    handle(routes.listItems, notWritten),',
  )
  const routes = await read('src/shop/routes.ts')
  expect(routes).toContain("path: '/v1/items/{item_id}',\n  operationId: 'get-item',")
  expect(routes).toContain('problems: [statusProblems.NOT_IMPLEMENTED, shopProblems.SHOP_NOT_FOUND],')
  expect(await read('src/shop/schemas.ts')).toMatch(
    /export const NewItem = z\s+\.strictObject\(\{\s+name: Name,/,
  )
  const noted = ['the error 418 is not stated', 'int64', 'no security is stated', '(?P<letters>[A-Z]+)']
  noted.push('callbacks', 'application/xml', '`not`', 'discriminator')
  for (const note of noted) expect(said).toContain(note)
  expect(await read('src/library/schemas.ts')).toMatch(
    /\/\/ The document requires it one way.*\n\s+id: z\.int32\(\)\.optional\(\),/,
  )
  const books = await read('src/library/routes.ts')
  expect(books).toContain("security: ['books:write'],")
  expect(books).toContain("security: { schemes: ['token', partner], scopes: ['books:read'] },")
  expect(books).toContain('security: { schemes: [partner] },')
  expect(books).toContain("security: 'public',")
}
