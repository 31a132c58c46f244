import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '#dev/machine/ports.ts'
import { developmentEnvironment, developmentSecret } from '#dev/machine/settings.ts'
import { makeDatabase } from '#test/support/database.ts'
import { startService } from '#test/support/process.ts'
import { testAuth } from '#test/support/tokens.ts'
import { accept } from './accept.ts'

const databaseUrl = await makeDatabase()
const AUTH_SECRET = testAuth.secret

test('where there is no token on purpose, what needs one is left out, and said to be', async () => {
  const { url } = await startService({ DATABASE_URL: databaseUrl, AUTH_SECRET })
  const none = { ACCEPTANCE_TOKEN: 'none' }
  const run = await accept([url, '--tags-filter=live-safe'], none)
  expect(run).toMatchObject({ status: 0, output: expect.stringMatching(/Tests +[1-9]\d* passed/) })
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
