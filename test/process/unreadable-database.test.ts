import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { atEnd } from '#test/support/at-end.ts'
import { message } from '#test/support/fake-postgres.ts'
import { expectLog, spawnBundle, startService } from '#test/support/process.ts'

const taken = `${message('R', '\0\0\0\0').toString('latin1')}${message('Z', 'I').toString('latin1')}`

/** A server that sends these bytes to each connection that begins, and these as the response to each query. */
async function speak(greeting: Buffer | string, response: Buffer | string = ''): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(greeting, 'latin1')
      socket.on('data', () => socket.write(response, 'latin1'))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => void server.close())
  return `postgres://someone:hunter2@127.0.0.1:${(server.address() as { port: number }).port}/x`
}

const unreadable = [
  {
    what: 'asks for GSSAPI',
    greeting: message('R', '\0\0\0\x07'),
    why: 'Unknown authenticationOk message type 7',
  },
  {
    what: 'describes rows in too few bytes',
    greeting: taken,
    response: message('T', ''),
    why: 'out of range',
  },
  {
    what: 'asks for a password in the middle',
    greeting: taken,
    response: message('R', '\0\0\0\x63'),
    why: 'message type 99',
  },
]

test.each(unreadable)(
  'a database that $what is not ready, which ends no process',
  async ({ greeting, response, why }) => {
    const service = await startService({ DATABASE_URL: await speak(greeting, response) })
    for (let count = 0; count < 2; count++) expect((await fetch(`${service.url}/ready`)).status).toBe(503)
    const entries = expectLog(service.lines)
    expect(entries.filter(({ severity }) => severity === 'CRITICAL')).toEqual([])
    expect(entries.map((entry) => entry.stack_trace).join('\n')).toContain(why)
    expect(service.lines.join('\n')).toContain('What the database sent cannot be read')
    expect((await fetch(`${service.url}/ping`)).status).toBe(200)
    expect(service.child.exitCode).toBe(null)
  },
)

test('the migrations say what they could not read', async () => {
  const DATABASE_URL = await speak(message('R', '\0\0\0\x07'))
  const migration = spawnBundle({ DATABASE_URL }, { file: 'dist/migrate.js' })
  expect(await migration.exit).toBe(1)
  expect(migration.lines.join('\n')).toContain('Unknown authenticationOk message type 7')
  expect(migration.lines.join('\n')).not.toContain('hunter2')
  expectLog(migration.lines)
})
