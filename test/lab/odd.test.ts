import { describe, expect, test } from 'vitest'
import { expectJson, expectLog, expectProblem, type LogEntry, rawRequest } from '#test/kit'
import { sharedLab } from './lab.ts'
import { kindsThrown } from './routes/odd.ts'

const lab = sharedLab()

/** The request's line, once it is there: the only one with this message's beginning. */
async function lineOf(beginning: string): Promise<LogEntry> {
  const own = () =>
    expectLog(lab.process.lines).filter(
      ({ httpRequest, message }) => httpRequest && message.startsWith(beginning),
    )
  await expect.poll(() => own().length).toBe(1)
  return own()[0] as LogEntry
}

/** The head as it came over the wire, each header once. */
async function headOf(path: string): Promise<string> {
  const { socket, send } = lab.process.dial()
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  send(rawRequest(`GET ${path}`, { Connection: 'close' }))
  await new Promise((resolve) => socket.once('close', resolve))
  return text.split('\r\n\r\n')[0] ?? ''
}

describe('how a response is framed is the server’s to say', () => {
  test.each([
    ['/odd/framed', 200, ['content-length: 7', 'content-type: application/json']],
    ['/odd/framed-text', 200, ['content-length: 3']],
    ['/odd/framed-nothing', 204, []],
    ['/odd/problem', 410, ['content-type: application/problem+json', 'cache-control: no-store']],
  ])('%s', async (path, status, headers) => {
    const [line = '', ...fields] = (await headOf(path)).split('\r\n').map((text) => text.toLowerCase())
    expect(line).toContain(` ${status} `)
    expect(fields).toEqual(expect.arrayContaining([...headers]))
    const names = fields.map((field) => field.split(':')[0])
    expect(names).toEqual([...new Set(names)])
    expect(names).not.toContain('transfer-encoding')
    expect(names).not.toContain('trailer')
  })
})

test('a body that fetch has decoded does not say that it is encoded', async () => {
  expect(await expectJson(await lab.api('/odd/decoded'), 200)).toEqual({ a: 1 })
})

test('a problem’s header without a value is a 500 that names it, in the log as well', async () => {
  await expectProblem(await lab.api('/odd/no-header'), 500, 'INTERNAL')
  await lineOf('GET /odd/no-header 500')
  expect(lab.process.lines.join('\n')).toContain('Retry-After is undefined')
})

test('a handler’s c.notFound() is a 404, not a wrong method', async () => {
  await expectProblem(await lab.api('/odd/not-found'), 404, 'NOT_FOUND')
})

test('a response past the check, by c.res, is a 500 that says what to write', async () => {
  const problem = await expectProblem(await lab.api('/odd/replaced'), 500, 'INTERNAL')
  expect(JSON.stringify(problem)).not.toContain('hunter2')
  expect(lab.process.lines.join('\n')).toContain('showReplaced set c.res, which is not checked')
})

test('a handler that returns nothing commits nothing', async () => {
  const alice = await lab.as('alice')
  for (let time = 0; time < 2; time++) {
    const response = await alice('/odd/forgotten', { method: 'POST', headers: { 'Idempotency-Key': 'f' } })
    expect(response.headers.get('idempotency-replayed')).toBeNull()
    await expectProblem(response, 500, 'INTERNAL')
  }
  expect(lab.process.lines.join('\n')).toContain('forget returned no response')
})

describe.each(kindsThrown)('what cannot be read is thrown: %s', (kind) => {
  test('by a handler: a 500 that gives nothing away', async () => {
    const problem = await expectProblem(await lab.api(`/odd/throws/${kind}`), 500, 'INTERNAL')
    expect(JSON.stringify(problem)).not.toContain('hunter2')
    await lineOf(`GET /odd/throws/${kind} 500`)
  })

  test('by a stream: it is cut off, and its line is an error', async () => {
    const response = await lab.api(`/odd/breaks/${kind}`)
    await expect(response.text()).rejects.toThrow()
    expect(await lineOf(`GET /odd/breaks/${kind} 200`)).toMatchObject({ severity: 'ERROR' })
  })
})
