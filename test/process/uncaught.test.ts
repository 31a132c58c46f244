import { expect, test } from 'vitest'
import { expectLog, refusesConnections, type ServiceProcess, startNotes } from '#test/support/process.ts'
import { type RawConnection, rawRequest } from '#test/support/raw.ts'
import { as } from '#test/support/tokens.ts'
import metadata from '../../package.json' with { type: 'json' }

const alice = await as('alice', ['notes:write'])
const why = 'An uncaught error ends the process'

/** SIGUSR2 makes it fail. */
function startToFail(FAILURE: string): Promise<ServiceProcess> {
  return startNotes({ FAILURE }, { args: ['--import', './test/process/fixtures/failures.ts'] })
}

/** Begins a request that is in flight until its body, `{}`, has been sent. */
async function begin({ dial }: ServiceProcess): Promise<RawConnection> {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': '2', Expect: '100-continue' }
  const connection = dial().send(rawRequest('POST /notes', { ...alice, ...headers }))
  expect((await connection.answer()).status).toBe(100)
  return connection
}

test.each(['exception', 'rejection'])(
  'an uncaught %s is logged, and ends the process in order',
  async (kind) => {
    const service = await startToFail(kind)
    const request = await begin(service)
    service.child.kill('SIGUSR2')
    await refusesConnections(service)
    const { status, headers } = await request.send('{}').answer()
    expect({ status, connection: headers.get('connection') }).toEqual({ status: 400, connection: 'close' })
    expect(await service.exit).toBe(1)

    const [, failure, , end] = expectLog(service.lines)
    expect(failure).toMatchObject({
      severity: 'CRITICAL',
      message: why,
      stack_trace: expect.stringMatching(/^RangeError: Nobody expects this\n +at .*failures\.ts:/),
      serviceContext: { service: metadata.name, version: 'unknown' },
    })
    expect(end).toMatchObject({ message: 'Stopped by an uncaught error', finished: true })
    expect(service.lines).toHaveLength(4)
  },
)

test('another error on the way out does not cut what is in flight', async () => {
  const service = await startToFail('rejection')
  const request = await begin(service)
  service.child.kill('SIGTERM')
  await refusesConnections(service)
  service.child.kill('SIGUSR2')
  await service.line(/Nobody expects this/)
  expect((await request.send('{}').answer()).status).toBe(400)
  expect(await service.exit).toBe(1)
  expect(expectLog(service.lines).filter(({ message }) => message === why)).toHaveLength(1)
})

test('the first signal on the way out does not either, the second does', async () => {
  const [patient, hasty] = [await startToFail('exception'), await startToFail('exception')]
  for (const service of [patient, hasty]) {
    const request = await begin(service)
    service.child.kill('SIGUSR2')
    await refusesConnections(service)
    service.child.kill('SIGTERM')
    if (service === hasty) service.child.kill('SIGINT')
    else expect((await request.send('{}').answer()).status).toBe(400)
    expect(await service.exit).toBe(1)
  }
  expect(patient.lines.join('\n')).toContain('Stopped by')
  expect(hasty.lines.join('\n')).not.toContain('Stopped by')
})

test('what was thrown without being an error is logged without its text', async () => {
  const service = await startToFail('text')
  service.child.kill('SIGUSR2')
  expect(await service.exit).toBe(1)
  const [, failure] = expectLog(service.lines)
  expect(failure).toMatchObject({ severity: 'CRITICAL', stack_trace: expect.stringMatching(/^Error: /) })
  expect(service.lines.join('\n')).not.toContain('eyJ')
})
