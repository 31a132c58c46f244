import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workingCopy } from '#test/kit'

// The checks and the tests of what is written are run by test/docs/pages.test.ts, in its fork.
test('features from Swagger 2, OpenAPI 3.0 and 3.1 are written and wired in', async () => {
  const { folder, run } = await workingCopy()
  await run('git add --all')
  const from = (name: string, file: string) =>
    run(`npm run --silent new -- feature ${name} --from test/dev/new/fixtures/${file}`)
  const read = (path: string) => readFile(join(folder, path), 'utf8')

  const shop = await from('shop', 'shop.swagger2.yaml')
  const library = await from('library', 'library.openapi30.yaml')
  await from('trees', 'trees.openapi31.json')

  expect(await read('src/app.ts')).toMatch(/^export const features.*shop, library, trees\]$/m)
  expect(await read('src/shop/shop.ts')).toContain(
    '// shop.api.do_list_items\n    handle(routes.listItems, notWritten),',
  )
  const routes = await read('src/shop/routes.ts')
  expect(routes).toContain("path: '/v1/items/{item_id}',\n  operationId: 'get-item',")
  expect(routes).toContain('problems: [statusProblems.NOT_IMPLEMENTED, shopProblems.SHOP_NOT_FOUND],')
  expect(await read('src/shop/schemas.ts')).toMatch(
    /export const NewItem = z\s+\.strictObject\(\{\s+name: Name,/,
  )
  for (const note of ['the error 418 is not stated', 'int64', 'no security is stated', '(?P<letters>[A-Z]+)'])
    expect(shop).toContain(note)
  expect(await read('src/library/schemas.ts')).toMatch(
    /\/\/ The document requires it one way.*\n\s+id: z\.int32\(\)\.optional\(\),/,
  )
  const books = await read('src/library/routes.ts')
  expect(books).toContain("security: ['books:write'],")
  expect(books).toContain("security: { schemes: ['token', partner], scopes: ['books:read'] },")
  expect(books).toContain('security: { schemes: [partner] },')
  expect(books).toContain("security: 'public',")
  for (const note of ['callbacks', 'application/xml', '`not`', 'discriminator'])
    expect(library).toContain(note)
})
