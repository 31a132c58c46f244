import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { atEnd, makeDatabase, startService } from '#test/kit'
import { check } from '../../bench/harness/check.ts'
import { contestants } from '../../bench/harness/contestants.ts'
import { fill } from '../../bench/harness/environment.ts'
import { requests, type Work } from '../../bench/harness/requests.ts'
import type { Running } from '../../bench/harness/run.ts'
import { auth } from '../../bench/harness/token.ts'

/** A contestant that the test runs, whose log the test collects. */
function running(port: number, lines: string[] = []): Running {
  let read = 0
  const readLog = () => {
    const fresh = lines.slice(read).map((line) => `${line}\n`)
    read = lines.length
    return fresh.join('')
  }
  return { contestant: contestants.service, pid: 0, port, readLog, stop: async () => {} }
}

const works = Object.keys(requests) as Work[]

describe('the service', async () => {
  const DATABASE_URL = await makeDatabase()
  await fill(DATABASE_URL)
  const { url, lines } = await startService({ ...auth, DATABASE_URL, ENVIRONMENT: 'live' })

  test.each(works)('gives the response to %s that the benchmark demands of all contestants', async (work) => {
    await check(running(Number(new URL(url).port), lines), work)
  })
})

describe('a contestant is refused', async () => {
  let respond: (response: ServerResponse) => void = () => {}
  const server = createServer((_, response) => respond(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => server.close())
  const { port } = server.address() as AddressInfo

  test.each([
    ['another status', (response: ServerResponse) => response.writeHead(500).end(), 'the status is not 200'],
    [
      'no order',
      (response: ServerResponse) => response.setHeader('etag', '"1"').end('{}'),
      'createdAt is no time',
    ],
  ])('for %s', async (_what, wrong, message) => {
    respond = wrong
    await expect(check(running(port), 'get')).rejects.toThrow(`service, get: ${message}`)
  })
})
