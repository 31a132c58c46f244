import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { atEnd } from '#test/support/at-end.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testServer } from '#test/support/server.ts'

// `npm run client` in a folder that imports as the repository does, and the TypeScript of those who use the clients.

const fixtures = resolve('test/client/fixtures')
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-test-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['src', 'node_modules']) await symlink(resolve(name), join(folder, name))
  for (const name of ['package.json', 'openapi/client.ts'])
    await cp(name, join(folder, name), { recursive: true })
})

/** Runs a program in the folder. */
function run(program: string, ...args: string[]): Promise<{ status: number; output: string }> {
  return new Promise((done) => {
    execFile(program, args, { cwd: folder }, (error, stdout, stderr) =>
      done({ status: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}

const client = (...args: string[]) => run(process.execPath, resolve('dev/client.ts'), ...args)
const clients = () => readdir(join(folder, 'openapi/clients'))

async function serve(respond: RequestListener): Promise<string> {
  const server = createServer(respond).listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  atEnd(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi.yaml`
}

test('clients of odd contracts, from a file and from a URL, compile for a strict consumer; so does our own', async () => {
  const petstore = await readFile(join(fixtures, 'petstore.yaml'))
  const url = await serve((_request, response) => void response.end(petstore))
  expect(await client('petstore', url)).toEqual({
    status: 0,
    output: "openapi/clients/petstore.ts is written. Import from '#openapi/clients/petstore.ts'.\n",
  })
  expect(await client('odd', join(fixtures, 'odd/odd.yaml'))).toMatchObject({ status: 0 })
  expect(await clients()).toEqual(['odd.ts', 'petstore.ts'])
  const text = await readFile(join(folder, 'openapi/clients/odd.ts'), 'utf8')
  expect(text).toMatch(/`\/shapes\/\$\{encodeURIComponent\(String\(shapeId\)\)\}:archive`/)

  await cp(join(fixtures, 'shop.ts.txt'), join(folder, 'shop.ts'))
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: resolve('tsconfig.json'), include: ['openapi', 'shop.ts'] }),
  )
  expect(await run(resolve('node_modules/.bin/tsc'), '--project', '.')).toEqual({ status: 0, output: '' })
})

test('a client’s requests go through `call`: the service responds, by status', async () => {
  const { url } = await testServer({ features: [], databaseUrl: noDatabase })
  expect(await client('runway', resolve('openapi/openapi.json'))).toMatchObject({ status: 0 })
  const code = `
    import { CallError } from '#runtime'
    import { runtimeGetVersionAuthenticated, runtimePing } from '#openapi/clients/runway.ts'
    const base = '${url}'
    const print = ({ status, data, headers }) =>
      console.log(status, data.status ?? data.revision, data.code ?? '', headers.get('x-request-id'))
    print(await runtimePing({ base, headers: { 'X-Request-Id': 'mine' } }))
    print(await runtimeGetVersionAuthenticated({ base, headers: { 'X-Request-Id': 'yours' } }))
    await runtimePing({ base: 'http://127.0.0.1:1' }).catch((error) => console.log(error instanceof CallError, error.message))
    await runtimePing().catch((error) => console.log(error.message))`
  await writeFile(join(folder, 'use.mjs'), code)
  const { status, output } = await run(process.execPath, 'use.mjs')
  expect(output.split('\n')).toEqual([
    '200 ok  mine',
    '401 401 TOKEN_MISSING yours',
    expect.stringMatching(/^(true GET http:\/\/127\.0\.0\.1:1\/ping got no response: )/),
    'A call to /ping needs `base`: the URL of the other service.',
    '',
  ])
  expect(status).toBe(0)
})

test('our own client compiles in a browser’s project', async () => {
  const browser = join(folder, 'browser')
  await cp('openapi/client.ts', join(browser, 'client.ts'), { recursive: true })
  const compilerOptions = {
    ...{
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      module: 'esnext',
      types: [],
      noEmit: true,
    },
    ...{ moduleResolution: 'bundler', strict: true, exactOptionalPropertyTypes: true },
    ...{ noUncheckedIndexedAccess: true, noImplicitOverride: true, verbatimModuleSyntax: true },
  }
  await writeFile(join(browser, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  expect(await run(resolve('node_modules/.bin/tsc'), '--project', browser)).toEqual({ status: 0, output: '' })
})

interface Wrong {
  what: string
  args: string[]
  says: RegExp
}

test.each<Wrong>([
  { what: 'nothing', args: [], says: /^Usage: npm run client -- NAME URL_OR_FILE/ },
  { what: 'a name alone', args: ['warehouse'], says: /^Usage/ },
  { what: 'a name that is a path', args: ['../a', 'a.json'], says: /^"\.\.\/a" cannot name a client/ },
  {
    what: 'a name in capitals',
    args: ['Warehouse', 'a.json'],
    says: /cannot name a client: write small letters/,
  },
  { what: 'a file that is not there', args: ['a', 'none.json'], says: /^There is no file none\.json/ },
  { what: 'a folder', args: ['a', 'src'], says: /^src cannot be read \(EISDIR\)/ },
  {
    what: 'JSON that is no contract',
    args: ['a', 'package.json'],
    says: /^package\.json is not OpenAPI 3 or Swagger 2/,
  },
  { what: 'a text', args: ['a', resolve('README.md')], says: /README\.md is neither JSON nor YAML/ },
  { what: 'a host that does not respond', args: ['a', 'http://127.0.0.1:9/a'], says: /does not respond/ },
])('$what is refused, in words, and writes nothing', async ({ args, says }) => {
  const before = await clients()
  const { status, output } = await client(...args)
  expect(output).toMatch(says)
  expect(output).not.toContain('    at ')
  expect([status, await clients()]).toEqual([1, before])
})

const contract = (paths: object) =>
  JSON.stringify({ openapi: '3.1.0', info: { title: 'A', version: '1' }, paths })
const get = { operationId: 'a', responses: { 200: { description: 'It' } } }

test.each([
  { what: 'without paths', text: contract({}), says: /there is nothing to call/ },
  {
    what: 'with a parameter that orval cannot fill in',
    text: contract({
      '/a/{b c}': {
        get: {
          ...get,
          parameters: [{ name: 'b c', in: 'path', required: true, schema: { type: 'string' } }],
        },
      },
    }),
    says: /cannot fill in the path \/a\/\{b c\}: rename its parameter/,
  },
  {
    what: 'with a reference that leads nowhere',
    text: contract({
      '/a': { get: { ...get, responses: { 200: { $ref: '#/components/responses/None' } } } },
    }),
    says: /None/,
  },
])('a contract $what is refused, in words', async ({ text, says }) => {
  await writeFile(join(folder, 'wrong.json'), text)
  const { status, output } = await client('wrong', 'wrong.json')
  expect(output).toMatch(says)
  expect(output).not.toContain('    at ')
  expect(status).toBe(1)
  expect(await clients()).not.toContain('wrong.ts')
})

test('a contract from another host cannot name files of this machine', async () => {
  const text = contract({ '/a': { $ref: `${fixtures}/odd/odd.yaml#/paths/~1tree` } })
  const url = await serve((_request, response) => void response.end(text))
  const { status, output } = await client('wrong', url)
  expect([status, output]).toEqual([1, expect.stringContaining('External $ref')])
})

test('a URL that responds with an error is refused, with its status', async () => {
  const url = await serve((_request, response) => void response.writeHead(404).end())
  expect(await client('wrong', url)).toEqual({
    status: 1,
    output: `${url} responded with 404. Save the contract as a file, and name that.\n`,
  })
})
