import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Hono } from 'hono'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { createApp } from '#src/app.ts'
import type { BaseEnv } from '#src/runtime/http/env.ts'
import { type ProblemFormat, problemDetails } from '#src/runtime/http/problem-format.ts'
import { createHttpServer } from '#src/runtime/http/server.ts'
import { reportOutsideRequests } from '#src/runtime/log/report.ts'
import { client } from '#test/support/client.ts'
import { expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'

const service = await testService({ databaseUrl: noDatabase, features: [] })
const { log, lines } = service

afterEach(() => reportOutsideRequests({}))

/** A format whose `format` fails where `fails` says so. */
function brittle(fails: (code: string) => boolean): ProblemFormat {
  return {
    ...problemDetails,
    format(details) {
      if (fails(details.code)) throw new TypeError('Cannot read properties of undefined')
      return problemDetails.format(details)
    },
  }
}

test('an app that fails itself is answered by the server, logged and reported', async () => {
  const error = vi.fn()
  reportOutsideRequests({ error })
  const broken = new Error('The app is broken')
  const app = new Hono<BaseEnv>()
  app.onError((thrown) => {
    throw thrown
  })
  app.get('/broken', () => {
    throw broken
  })
  const { server } = createHttpServer({ app, format: problemDetails, log })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => server.closeAllConnections())
  const { port } = server.address() as AddressInfo
  const response = await client(`http://127.0.0.1:${port}`)('/broken')
  await expectProblem(response, 500, 'INTERNAL')
  server.close()
  expect(lines[0]).toMatchObject({
    ...{ severity: 'ERROR', message: 'Something went wrong on our side' },
    stack_trace: expect.stringContaining('The app is broken'),
  })
  expect(error.mock.calls).toEqual([[broken, {}]])
})

test('a problem that the format cannot write is a 500', async () => {
  const format = brittle((code) => code === 'NOT_FOUND')
  const { api, lines } = await testService({ databaseUrl: noDatabase, features: [], format })
  await expectProblem(await api('/nowhere'), 500, 'INTERNAL')
  expect(lines.at(-1)).toMatchObject({ message: 'GET /nowhere 500' })
})

test('a format that cannot even write a 500 stops the start', () => {
  const { config, database } = service
  const format = brittle((code) => code === 'INTERNAL')
  expect(() => createApp({ config, database, log, format })).toThrow('Cannot read properties of undefined')
})
