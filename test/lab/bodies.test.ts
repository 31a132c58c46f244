import { describe, expect, test } from 'vitest'
import { expectLog, expectProblem, noDatabase, testService } from '#test/kit'
import { lab as features } from './feature.ts'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const inProcess = await testService({ databaseUrl: noDatabase, features })

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const json = { 'Content-Type': 'application/json' }
const sizes = ['text', 'arrayBuffer', 'bytes', 'blob', 'raw.text', 'raw.arrayBuffer', 'raw.bytes', 'raw.blob']
const requests = ['raw.body', 'raw.clone', 'new Request', 'cloneRawRequest']
const values = ['json', 'raw.json']
const forms = ['formData', 'parseBody', 'raw.formData']

/** Sends a body with its length, and in chunks; over the wire, and in process. */
async function send(way: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) {
  const path = `/bodies/${encodeURIComponent(way)}`
  const chunked = new Request(new URL(path, lab.process.url), {
    method: 'POST',
    body: new Blob([body]).stream(),
    headers,
    ...{ duplex: 'half' },
  })
  return [
    await lab.api(path, { body, headers }),
    await fetch(chunked),
    await inProcess.api(path, { body, headers }),
  ]
}

describe('a plain route reads its body by', () => {
  test.each([...sizes, ...requests])('%s', async (way) => {
    for (const response of await send(way, 'x'.repeat(100_000), {}))
      expect([response.status, await response.json()]).toEqual([200, 100_000])
  })

  test.each(values)('%s', async (way) => {
    for (const response of await send(way, '\ufeff{"a":"茶"}', json))
      expect([response.status, await response.json()]).toEqual([200, { a: '茶' }])
  })

  test.each(values)('%s, whose values and levels are counted first', async (way) => {
    for (const body of [`[${'1,'.repeat(30_000)}1]`, `${'['.repeat(64)}${']'.repeat(64)}`])
      for (const response of await send(way, body, json)) expect(response.status).toBe(200)
    for (const response of await send(way, `${'['.repeat(65)}${']'.repeat(65)}`, json))
      await expectProblem(response, 400, 'VALIDATION_FAILED')
    for (const response of await send(way, '['.repeat(100_000), json))
      await expectProblem(response, 400, 'MALFORMED_REQUEST')
  })

  test.each(forms)('%s', async (way) => {
    for (const response of await send(way, 'a=1&b=%E8%8C%B6', form))
      expect([response.status, await response.json()]).toEqual([200, { a: '1', b: '茶' }])
  })

  test('all of them, one after another', async () => {
    for (const response of await send('all after one another', '12345', json))
      expect(await response.json()).toEqual({ length: 5, sizes: [5, 5, 5, 5], same: true })
  })
})

test.each([...sizes, ...requests, ...values, ...forms])(
  'a body over the limit is refused, whatever reads it: %s',
  async (way) => {
    const headers = forms.includes(way) ? form : json
    for (const response of await send(way, `"${'x'.repeat(99_999)}"`, headers))
      await expectProblem(response, 413, 'BODY_TOO_LARGE')
  },
)

const multipart = { 'Content-Type': 'multipart/form-data; boundary=x' }
interface Malformed {
  readonly what: string
  readonly ways: string[]
  readonly body: string | Uint8Array<ArrayBuffer>
  readonly headers: Record<string, string>
}

describe.each<Malformed>([
  { what: 'JSON that ends too soon', ways: values, body: '{bad', headers: json },
  { what: 'no JSON', ways: values, body: '', headers: json },
  { what: 'JSON that is not UTF-8', ways: values, body: new Uint8Array([0x22, 0xff, 0x22]), headers: json },
  {
    what: 'a multipart body without its end',
    ways: forms,
    body: '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
    headers: multipart,
  },
  { what: 'a multipart body of rubbish', ways: forms, body: 'rubbish', headers: multipart },
  {
    what: 'a multipart body without a boundary',
    ways: forms,
    body: 'x',
    headers: { 'Content-Type': 'multipart/form-data' },
  },
])('$what is the caller’s fault:', ({ ways, body, headers }) => {
  test.each(ways)('%s', async (way) => {
    for (const response of await send(way, body, headers))
      await expectProblem(response, 400, 'MALFORMED_REQUEST')
    expect(expectLog(lab.process.lines).filter(({ severity }) => severity === 'ERROR')).toEqual([])
  })
})

test('a form of another type is the caller’s fault', async () => {
  for (const way of ['formData', 'raw.formData'])
    for (const response of await send(way, 'a=1', json))
      await expectProblem(response, 400, 'MALFORMED_REQUEST')
})

test('JSON that a handler parses by itself is the handler’s own fault', async () => {
  await expectProblem(await lab.api('/own-json', { json: {} }), 500, 'INTERNAL')
  await expectProblem(await inProcess.api('/own-json', { json: {} }), 500, 'INTERNAL')
})
