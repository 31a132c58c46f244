import { once } from 'node:events'
import { expect, test } from 'vitest'
import { expectLog, rawRequest } from '#test/kit'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const length = { 'Content-Length': '100000' }
const chunked = { 'Transfer-Encoding': 'chunked' }

test.each([
  ['leaves', length, (socket: import('node:net').Socket) => socket.end()],
  ['is reset', length, (socket: import('node:net').Socket) => socket.resetAndDestroy()],
  ['leaves between chunks', chunked, (socket: import('node:net').Socket) => socket.end()],
  ['sends rubbish for a chunk', chunked, (socket: import('node:net').Socket) => socket.write('rubbish\r\n')],
])(
  'a client that %s in the middle of a body, after its response, is not refused once more',
  async (what, headers, act) => {
    const id = what.replaceAll(' ', '-')
    const client = lab.process.dial()
    let bytes = ''
    client.socket.on('data', (chunk) => {
      bytes += chunk
    })
    client.send(`${rawRequest('POST /kept/pdf', { ...headers, 'X-Request-Id': id })}5\r\nsome\n\r\n`)
    expect((await client.answer()).status).toBe(401)
    const closed = once(client.socket, 'close')
    act(client.socket)
    await closed
    await lab.api('/ping')
    await lab.process.line(/GET \/ping 200/)
    const entries = expectLog(lab.process.lines)
    expect(entries.filter(({ message }) => message.startsWith('Refused'))).toEqual([])
    expect(bytes.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  },
)
