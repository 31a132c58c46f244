import { setImmediate as nextTurn } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { freePort } from '#dev/machine/ports.ts'
import { client } from '#test/support/client.ts'
import { expectJson } from '#test/support/expect.ts'
import { expectLog, spawnProgram, startService } from '#test/support/process.ts'
import { testTasks } from '#test/support/task-variables.ts'

const labels = 'logging.googleapis.com/labels'

test('what libraries print and Node warns of are log entries too', async () => {
  const service = await startService({}, { args: ['--import', './test/process/fixtures/noise.ts'] })
  service.child.kill('SIGUSR2')
  expect(await service.exit).toBe(0)
  const [, ...entries] = expectLog(service.lines)
  expect(entries.map(({ severity, message }) => `${severity} ${message.split('\n')[0]}`)).toEqual([
    'INFO one word of 3 { nested: { deep: true } }',
    'INFO two',
    'DEBUG three',
    'WARNING four, with a token: [redacted]',
    'ERROR TypeError: five',
    'WARNING six',
    'WARNING seven',
    expect.stringMatching(/^WARNING Buffer\(\) is deprecated/),
    expect.stringMatching(/^WARNING Possible EventEmitter memory leak detected/),
    'INFO Stopped by SIGTERM',
  ])
  expect(entries[5]).toMatchObject({ warning: 'CustomWarning', code: 'CUSTOM001' })
  expect(entries[6]).toMatchObject({ warning: 'DeprecationWarning', code: 'DEP9999' })
})

test('no line is lost at the end, however slowly they are read', async () => {
  const { child, url, exit, lines } = await startService()
  child.stdout?.pause() // the pipe fills, and the service waits for its reader
  const api = client(url)
  const answered: string[] = []
  const asked = Array.from({ length: 600 }, async (_, index) => {
    const headers = { 'X-Request-Id': `request-${index}`, 'User-Agent': 'x'.repeat(250) }
    const { status } = await api('/ping', { headers })
    if (status === 200) answered.push(`request-${index}`)
    if (answered.length === 200) child.kill('SIGTERM')
  })
  const settled = Promise.allSettled(asked)
  while (child.exitCode === null) {
    child.stdout?.read(512)
    await nextTurn()
  }
  child.stdout?.resume()
  await settled
  expect(await exit).toBe(0)
  const logged = new Set(
    expectLog(lines).map((entry) => (entry[labels] as { request_id?: string })?.request_id),
  )
  expect(answered.length).toBeGreaterThanOrEqual(200)
  expect(answered.filter((id) => !logged.has(id))).toEqual([])
  expect(lines.at(-1)).toContain('Stopped by SIGTERM')
})

test('a reader that leaves does not end the service', async () => {
  const { child, url, exit } = await startService()
  child.stdout?.destroy()
  for (let round = 0; round < 3; round++) await expectJson(await client(url)('/ping'))
  child.kill('SIGTERM')
  expect(await exit).toBe(0)
})

test.runIf(process.platform === 'linux')('a terminal gets lines for people', async () => {
  const port = await freePort()
  const command = `'${process.execPath}' dist/main.js`
  const env = { ...testTasks, PORT: String(port), PATH: process.env.PATH, TERM: 'xterm' }
  const { lines, line } = spawnProgram('script', ['-qec', command, '/dev/null'], { env })
  await line(/Listening on port/)
  await expectJson(await client(`http://127.0.0.1:${port}`)('/ping'))
  const [, request] = await line(/(.*GET \/ping 200.*)/)
  expect(stripVTControlCharacters(`${request}`)).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} INFO +GET \/ping 200 0\.\d+s/,
  )
  expect(lines.join('')).not.toContain('{"severity"')
})
