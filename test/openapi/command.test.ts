import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { atEnd } from '#test/support/at-end.ts'

// `npm run openapi` in a copy of the service, whose contract can be made or not.

const files = ['package.json', 'tsconfig.json', 'biome.json', 'placeholders.ts', 'src', 'dev', 'openapi']

async function copy(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openapi-test-'))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  for (const file of files) await cp(file, join(folder, file), { recursive: true })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  return folder
}

function run(folder: string): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dev/openapi.ts'], { cwd: folder }, (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}

/** Puts a route before the others of the example, or of whatever feature is first. */
async function addRoute(folder: string, route: string): Promise<void> {
  const file = join(folder, 'src/app.ts')
  const text = await readFile(file, 'utf8')
  const trial = `[defineFeature({ name: 'trial', description: 'Trial.', routes: () => [${route}] })]`
  const named = text.replace(/(export const features: readonly Feature\[\] = )\[.*?\]\n/s, `$1${trial}\n`)
  expect(named).not.toBe(text)
  const imports = [
    "import { z } from '@hono/zod-openapi'",
    "import { defineFeature } from '#runtime'",
    "import { handle } from '#runtime'",
  ]
  await writeFile(file, [...imports, named].join('\n'))
}

const route = (responses: string) =>
  `handle({ method: 'get', path: '/trial', operationId: 'trial', summary: 'Try', security: 'public', responses: ${responses} }, (c) => c.json({}) as never)`

const written = (folder: string) =>
  Promise.all(
    ['openapi.json', 'internal.json', 'client.ts'].map((file) =>
      readFile(join(folder, 'openapi', file), 'utf8'),
    ),
  )

test.each([
  [
    'a route that does not start',
    "{ 200: { description: 'It', content: { 'application/json': { schema: z.object({ at: z.bigint() }) } } } }",
    'GET /trial (response) at: JSON has no bigint',
  ],
  [
    'a contract that cannot be made',
    "{ get 200(): never { if (new Error().stack?.includes('document.ts')) throw new Error('The contract breaks'); return { description: 'It' } as never } }",
    'The contract breaks',
  ],
])('%s: the command fails, says why, and leaves all files as they are', async (_name, responses, why) => {
  const folder = await copy()
  await addRoute(folder, route(responses))
  const before = await written(folder)
  const { status, output } = await run(folder)
  expect(status).toBe(1)
  expect(output).toContain(why)
  expect(await written(folder)).toEqual(before)
})

test('a contract that can be made is written', async () => {
  const folder = await copy()
  await addRoute(folder, route("{ 200: { description: 'It' } }"))
  expect(await run(folder)).toMatchObject({
    status: 0,
    output: expect.stringContaining('openapi.json is written'),
  })
  const [contract, , client] = await written(folder)
  expect(contract).toContain('"operationId": "trial"')
  expect(client).toContain('export const trial = ')
})
