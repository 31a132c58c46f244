import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '#dev/machine/ports.ts'
import { developmentEnvironment, developmentSecret } from '#dev/machine/settings.ts'
import { statedScopes } from '#test/acceptance/contract.ts'
import { harmless } from '#test/acceptance/live-safe.ts'
import type { Api } from '#test/support/client.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { startEmulated } from '#test/support/emulated.ts'
import { spawnProgram, startService } from '#test/support/process.ts'
import { as, testAuth } from '#test/support/tokens.ts'
import metadata from '../../package.json' with { type: 'json' }

const databaseUrl = await makeDatabase()

/** Runs the acceptance tests as `npm run test:acceptance -- …` does. */
async function accept(args: string[], environment: Record<string, string> = {}) {
  const { PATH = '' } = process.env
  const { lines, exit } = spawnProgram(process.execPath, ['test/acceptance/run.ts', ...args], {
    env: { PATH, NO_COLOR: '1', ...environment },
  })
  return { status: await exit, output: lines.join('\n') }
}

/** How many rows all the tables have together. */
async function rows(): Promise<number> {
  const names = `select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname in ('public', 'runtime') and tablename <> 'migrations'`
  const { rows: tables } = await onServer(databaseUrl, names)
  const counts = tables.map(({ name }) => `select count(*) as count from ${name}`)
  const sum = `select sum(count)::int as count from (${counts.join(' union all ')}) as counts`
  return (await onServer(databaseUrl, sum)).rows[0].count
}

/** How many tests passed. */
function count({ output }: { output: string }): number {
  return Number(/Tests +(\d+) passed/.exec(output)?.[1])
}

const AUTH_SECRET = testAuth.secret
const { Authorization = '' } = await as('carol', statedScopes)
const ACCEPTANCE_TOKEN = Authorization.replace('Bearer ', '')
const passed = { status: 0, output: expect.stringMatching(/Tests +[1-9]\d* passed/) }

test('the bundle passes: what is live-safe writes nothing, the rest does, two runs at once', async () => {
  const { url } = await startEmulated({ DATABASE_URL: databaseUrl, AUTH_SECRET })
  const liveSafe = await accept([url, '--tags-filter=live-safe'], { ACCEPTANCE_TOKEN })
  expect(liveSafe).toMatchObject(passed)
  expect(await rows()).toBe(0)

  const runs = await Promise.all([accept([url], { AUTH_SECRET }), accept([url], { ACCEPTANCE_TOKEN })])
  for (const run of runs) {
    expect(run).toMatchObject(passed)
    expect(run.output).toContain(
      `Testing ${metadata.name} at ${url} (revision unknown, environment development)`,
    )
    expect(run.output).not.toContain('skipped')
  }
  const others = count(runs[0]) - count(liveSafe)
  expect((await rows()) > 0).toBe(others > 0)
})

test('where there is no token on purpose, what needs one is left out, and said to be', async () => {
  const { url } = await startService({ DATABASE_URL: databaseUrl, AUTH_SECRET })
  const none = { ACCEPTANCE_TOKEN: 'none' }
  const run = await accept([url, '--tags-filter=live-safe'], none)
  expect(run).toMatchObject(passed)
  expect(run.output).toContain('ACCEPTANCE_TOKEN is none: the tests that need a token are left out.')
  expect(await accept([url, 'access', '-t', 'a valid token is taken'], none)).toEqual({
    status: 1,
    output: expect.stringContaining('No test ran: the filters leave none.'),
  })
})

test('a service of development needs no credentials, and vitest’s arguments are handed on', async () => {
  const { AUTH_SECRET = '', AUTH_ISSUER = '', AUTH_AUDIENCE = '' } = developmentEnvironment({ variables: {} })
  const { url } = await startService({ DATABASE_URL: databaseUrl, AUTH_SECRET, AUTH_ISSUER, AUTH_AUDIENCE })
  const { status, output } = await accept([url, 'access', '-t', 'a valid token is taken'])
  expect({ status, output }).toMatchObject({ status: 0, output: expect.stringMatching(/Tests +1 passed/) })
})

test('a test that fails is the exit status', async () => {
  const { url } = await startService({ DATABASE_URL: databaseUrl, AUTH_SECRET })
  const { status, output } = await accept([url, 'access', '-t', 'a valid token is taken'], {
    AUTH_SECRET: developmentSecret,
  })
  expect({ status, output }).toMatchObject({ status: 1, output: expect.stringMatching(/Tests +1 failed/) })
})

test('SERVERLESS_TOKEN goes with every request', async () => {
  const sent: unknown[] = []
  const server = createServer((request, response) => {
    sent.push(request.headers['x-serverless-authorization'])
    response.end('{"status":"ok"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await accept([url, 'system', '-t', 'alive and ready'], { AUTH_SECRET, SERVERLESS_TOKEN: 'an-id-token' })
  expect(sent.length).toBeGreaterThan(1)
  expect(new Set(sent)).toEqual(new Set(['Bearer an-id-token']))
  server.close()
})

test('a URL that does not answer is one clear message', async () => {
  const url = `http://localhost:${await freePort()}`
  expect(await accept([url])).toEqual({
    status: 1,
    output: `Nothing answers at ${url} (ECONNREFUSED). Start it, here by: npm run dev`,
  })
})

test('without credentials it says how to give them, and asks nothing', async () => {
  const { status, output } = await accept(['https://orders.example.com'])
  expect(status).toBe(1)
  for (const name of ['ACCEPTANCE_TOKEN', 'AUTH_SECRET', 'SERVERLESS_TOKEN']) expect(output).toContain(name)
  expect(output).toMatch(/^There are no credentials for https:\/\/orders\.example\.com\.\n/)
})

test.each(['localhost:8080', 'orders.example.com', 'http://localhost:8080/orders', 'http://'])(
  '%s is no URL of a service',
  async (url) => {
    const { status, output } = await accept([url], { AUTH_SECRET })
    expect({ status, output }).toMatchObject({
      status: 1,
      output: expect.stringContaining('Usage: npm run test:acceptance'),
    })
  },
)

test('a live-safe client refuses to send what could write', async () => {
  const sent: string[] = []
  const api: Api = async (path) => {
    sent.push(path)
    return new Response()
  }
  const token = { Authorization: 'Bearer x' }
  const alice = harmless(api, token, ['/notes'])
  const anyone = harmless(api, {}, ['/notes'])
  const text = { 'Content-Type': 'text/plain' }
  await alice('/notes')
  await alice('/notes', { method: 'HEAD' })
  await alice('/notes', { headers: text, body: 'x' })
  await anyone('/notes', { json: {} })
  await anyone('/notes', { method: 'DELETE' })
  expect(sent).toHaveLength(5)

  expect(() => alice('/notes', { json: {} })).toThrow('POST /notes could write')
  expect(() => alice('/notes', { json: {}, headers: text })).toThrow()
  expect(() => alice('/notes', { body: '{}', headers: { 'Content-Type': 'application/json' } })).toThrow()
  expect(() => alice('/notes/1/close', { method: 'POST' })).toThrow()
  expect(() => alice('/notes/1/close', { body: 'x', headers: text })).toThrow()
  expect(() => alice('/notes', { method: 'DELETE' })).toThrow()
  expect(() => anyone('/notes', { json: {}, headers: token })).toThrow()
  expect(() => anyone('/notes', { json: {}, headers: { cookie: 'session=x' } })).toThrow()
  expect(sent).toHaveLength(5)
})
