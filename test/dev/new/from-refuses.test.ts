import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Json } from '#dev/new/from/document.ts'
import { createNotes } from '#dev/new/from/notes.ts'
import { readOperations } from '#dev/new/from/operations.ts'
import { readDocument } from '#dev/new/from/read.ts'
import { restoreOnFailure } from '#dev/new/from/restore.ts'
import { createSchemaBook } from '#dev/new/from/schema-book.ts'
import { refuseTaken } from '#dev/new/from/taken.ts'
import { temporaryFolder } from '#test/kit'

const folder = await temporaryFolder()

async function write(text: string): Promise<string> {
  const file = join(folder, 'document.yaml')
  await writeFile(file, text)
  return file
}

const paths = 'paths: { /a: { get: { responses: {} } } }'

test.each([
  ['is not YAML', 'a: [', 'is neither JSON nor YAML: '],
  ['is a text', 'hello', 'is no OpenAPI document: it is not an object'],
  ['is something else', 'name: a', 'is no OpenAPI document: it states neither `openapi` nor `swagger`'],
  ['is too old', `swagger: '1.2'`, 'is of version 1.2: write it as Swagger 2.0, OpenAPI 3.0 or 3.1'],
  ['has no paths', 'openapi: 3.0.0\npaths: {}', 'has no `paths`'],
  [
    'has a $ref to nothing',
    `openapi: 3.0.0\n${paths}\nx: { $ref: '#/none' }`,
    'at #/x: $ref: #/none leads nowhere',
  ],
  ['has a $ref to a file', `openapi: 3.0.0\n${paths}\nx: { $ref: 'b.yaml#/a' }`, 'npx redocly bundle'],
  [
    'has a $ref to a host',
    `openapi: 3.0.0\n${paths}\nx: { $ref: 'http://127.0.0.1:1/a' }`,
    'refers to another file at #/x',
  ],
  ['holds itself', `openapi: 3.0.0\na: &a { b: *a }`, 'is neither JSON nor YAML: '],
  ['is huge', `openapi: 3.0.0\n${' '.repeat(5_000_000)}`, 'the limit is 5000000'],
])('a document that %s', async (_what, text, message) => {
  const file = await write(text)
  expect(() => readDocument(file)).toThrow(message)
  expect(() => readDocument(file)).toThrow(/^[^\n]*$/)
})

test('a file that is not there, and a URL', () => {
  expect(() => readDocument('none.yaml')).toThrow('There is no file none.yaml')
  expect(() => readDocument('https://example.com/a.yaml')).toThrow('is no file: download it first')
})

const done = { responses: { 204: { description: 'Done' } } }
/** The contract of the service that the document is to be added to. */
const contract = {
  paths: {
    '/orders/{id}': { get: { operationId: 'getOrder' } },
    '/orders': { post: { operationId: 'placeOrder' } },
  },
  components: { schemas: { Order: { type: 'object' } } },
}

/** Reads a document as the command does, up to where it would write. */
function read(document: Json): void {
  const notes = createNotes()
  const book = createSchemaBook(document, notes, 'Parcels')
  const { routes, keys } = readOperations(document, {
    notes,
    book,
    isOwn: (_method, path) => path === '/ping',
  })
  refuseTaken(
    contract,
    routes,
    book.write(),
    keys.map(({ name }) => name),
  )
}

const Order = { $ref: '#/components/schemas/Order' }
const withOrder = { post: { requestBody: { content: { 'application/json': { schema: Order } } }, ...done } }

test.each<[string, Json, string]>([
  ['a route', { paths: { '/orders/{number}': { get: done } } }, 'The route GET /orders/{number}.'],
  [
    'an operationId',
    { paths: { '/a': { get: { operationId: 'placeOrder', ...done } } } },
    'The operationId placeOrder.',
  ],
  [
    'a schema',
    { paths: { '/a': withOrder }, components: { schemas: { Order: { type: 'object' } } } },
    'The schema Order.',
  ],
  [
    'an operationId of its own',
    { paths: { '/a': { get: { operationId: 'a', ...done }, put: { operationId: 'a', ...done } } } },
    'has the operationId a of #/paths/~1a/get: rename one',
  ],
  [
    'a path of its own',
    { paths: { '/a/{b}': { get: done }, '/a/{c}': { get: done } } },
    'are the same path for a router',
  ],
])('%s that is there already', (_what, document, message) => {
  expect(() => read(document)).toThrow(message)
})

test.each([
  ['a path that the runtime does not take', { '/a/{b}{c}': { get: done } }],
  ['a route that the runtime has', { '/ping': { get: done } }],
  ['a method that is none', { '/a': { trace: done } }],
])('%s is left out, and named', (_what, paths) => {
  expect(() => read({ paths })).toThrow(/No route is left to write:\nnote .* left out/)
})

test('the command writes nothing, and says one line', async () => {
  const file = await write(
    JSON.stringify({ openapi: '3.0.0', info: {}, paths: { '/orders': { post: done } } }),
  )
  await mkdir(join(folder, 'openapi'))
  await writeFile(join(folder, 'openapi/openapi.json'), JSON.stringify(contract))
  const args = [resolve('dev/new.ts'), 'feature', 'parcels', '--from', file]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(/^The route POST \/orders\. .*\n$/),
  })
  expect((await readdir(folder)).toSorted()).toEqual(['document.yaml', 'openapi'])
})

test('if the service does not start with what was written, all is as it was', async () => {
  const [made, changed] = [join(folder, 'made'), join(folder, 'changed.ts')]
  await writeFile(changed, 'before')
  const fail = () => {
    mkdirSync(made)
    writeFileSync(changed, 'after')
    throw new Error('It does not start')
  }
  expect(() => restoreOnFailure([made], [changed], fail)).toThrow(/^It does not start\nNothing is written/)
  expect(existsSync(made)).toBe(false)
  expect(await readFile(changed, 'utf8')).toBe('before')
})
