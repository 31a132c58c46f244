import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { refuseDoubles } from '../doubles.ts'
import { addFeature } from '../edit.ts'
import { checkKebab, formsOf } from '../names.ts'
import { builtIns, reservedWords } from '../reserved.ts'
import type { Draft } from '../template.ts'
import { run, writeDrafts } from '../write.ts'
import { objectOf, textOf } from './document.ts'
import { createNotes } from './notes.ts'
import { readOperations } from './operations.ts'
import { readDocument } from './read.ts'
import { restoreOnFailure } from './restore.ts'
import { createSchemaBook } from './schema-book.ts'
import { refuseTaken } from './taken.ts'
import { oneLine } from './words.ts'
import { isKnownError, writeCode } from './write-code.ts'
import { writeTest } from './write-test.ts'

const contract = 'openapi/openapi.json'

/**
 * Writes a feature from an OpenAPI document: its schemas, its routes, handlers that respond 501, and tests. Lists it in
 * src/app.ts, and writes the contract.
 *
 * @param given its name, as one types it
 * @param file the document: Swagger 2.0, OpenAPI 3.0 or 3.1
 * @returns the files, what the code does not say of the document, and what comes next
 * @throws {TypeError} for a name or a document that cannot be. Nothing is written then
 */
export function newFeatureFrom(given: string | undefined, file: string): string[] {
  const name = checkKebab('feature', given, 'npm run new -- feature ')
  const { kebab, camel, pascal, snake } = formsOf(name)
  if (reservedWords.has(camel) || builtIns.has(camel))
    throw new TypeError(`${camel} has a meaning in TypeScript. Write another name, such as: my-${kebab}`)
  for (const folder of [`src/${kebab}`, `test/${kebab}`])
    if (existsSync(folder)) throw new TypeError(`${folder} exists already: take another name, or remove it`)
  const document = readDocument(file)
  const there = objectOf(JSON.parse(readFileSync(contract, 'utf8')))
  const notes = createNotes()
  const book = createSchemaBook(document, notes, pascal)
  const ownRoutes = /^(\/ping|\/version|\/auth\/version|\/ready|\/openapi\.json|\/docs)$/
  const { routes, keys } = readOperations(document, {
    notes,
    book,
    isOwn: (_method, path) => ownRoutes.test(path),
  })
  const schemas = book.write()
  refuseTaken(
    there,
    routes,
    schemas,
    keys.map(({ name: key }) => key),
  )
  for (const { operationId, errors } of routes)
    for (const status of errors.filter((one) => !isKnownError(one)))
      notes.add(
        operationId,
        `the error ${status} is not stated: define a problem with this status, and list it in the route`,
      )
  const title = sentence(textOf(objectOf(document.info).title) ?? name)
  const feature = {
    kebab,
    camel,
    upper: snake.toUpperCase(),
    title,
    file: basename(file),
    routes,
    schemas,
    keys,
  }
  const made: Draft[] = [...writeCode(feature), writeTest(feature)]
  refuseDoubles(made, kebab)
  const app = readFileSync('src/app.ts', 'utf8')
  const changed = { path: 'src/app.ts', text: addFeature('src/app.ts', app, camel, `./${kebab}/${kebab}.ts`) }
  restoreOnFailure(
    [`src/${kebab}`, `test/${kebab}`],
    ['src/app.ts', contract, 'openapi/internal.json', 'openapi/client.ts'],
    () => {
      writeDrafts(made, [changed])
      run('npm run openapi', ['dev/openapi.ts'])
    },
  )
  return [
    ...made.map(({ path }) => `made     ${path}`),
    'changed  src/app.ts and openapi/',
    ...notes.lines(),
    `next     read the notes, then write the handlers in src/${kebab}/${kebab}.ts`,
    `next     npx vitest run --project service test/${kebab}`,
  ]
}

function sentence(text: string): string {
  return `${oneLine(text).replace(/[.!?]$/, '')}.`
}
