import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem, pointers } from '#test/kit'
import { sharedLab } from './lab.ts'

const lab = sharedLab()
const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW'
const always = { ids: [], open: false }

/** A part as a browser writes it. */
function part(name: string, value: string, file?: { name: string; type?: string }): string {
  const filename = file ? `; filename="${file.name}"` : ''
  const type = file?.type ? `\r\nContent-Type: ${file.type}` : ''
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename}${type}\r\n\r\n${value}\r\n`
}

function send(path: string, ...parts: string[]): Promise<Response> {
  const body = `${parts.join('')}--${boundary}--\r\n`
  return lab.api(path, { body, headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` } })
}

const ways: [how: string, send: (text: string) => Promise<Response>][] = [
  ['a query', (text) => lab.api(`/search?${text}`)],
  [
    'a form',
    (text) =>
      lab.api('/submit', { body: text, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
  ],
  [
    'a form of parts',
    (text) => send('/submit', ...[...new URLSearchParams(text)].map(([name, value]) => part(name, value))),
  ],
]

describe.each(ways)('in %s', (_how, ask) => {
  test.each([
    ['', {}],
    ['tag=a', { tag: ['a'] }],
    ['tag=a&open=true&tag=b', { tag: ['a', 'b'], open: true }],
    ['tag=', { tag: [''] }],
    ['sorted=b&sorted=a', { sorted: ['a', 'b'] }],
    ['either=a', { either: 'a' }],
    ['either=a&either=b', { either: ['a', 'b'] }],
    ['ids=7', { ids: [7] }],
    ['ids=7&ids=8', { ids: [7, 8] }],
    ['pair=a&pair=1.5', { pair: ['a', 1.5] }],
    ['page=last', { page: 'last' }],
    ['page=3', { page: 3 }],
    ['tag=%E6%9D%B1+%2B', { tag: ['東 +'] }],
    ['t%61g=x', { tag: ['x'] }],
  ])('%s is read', async (text, values) => {
    expect(await expectJson(await ask(text))).toEqual({ ...always, ...values })
  })

  test.each([
    ['page=1&page=2', ['#/page']],
    ['open=true&open=true', ['#/open']],
    ['open=yes', ['#/open']],
    ['ids=7&ids=x', ['#/ids/1']],
    ['pair=a', ['#/pair']],
    ['pair=a&pair=b', ['#/pair/1']],
    ['tag=a&tag=a&tag=a&tag=a', ['#/tag']],
    ['tag[]=a', ['#/tag%5B%5D']],
    ['tag.0=a&TAG=b', ['#/TAG', '#/tag.0']],
    ['__proto__=a', ['#/__proto__']],
  ])('%s is refused, and what is wrong is named', async (text, names) => {
    expect(pointers(await expectProblem(await ask(text), 400, 'VALIDATION_FAILED'))).toEqual(names)
  })
})

test('a query may be refined as a whole, and may take any names', async () => {
  await expectProblem(await lab.api('/search?tag=a&either=b'), 400, 'VALIDATION_FAILED')
  const any = await lab.api('/filter?limit=5&colour=red&size=1&size=2')
  expect(await expectJson(any)).toEqual({ limit: 5, colour: 'red', size: ['1', '2'] })
})

test('a form may be one of several', async () => {
  const ask = (body: string) =>
    lab.api('/notify', { body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
  expect(await expectJson(await ask('kind=mail&to=a'))).toEqual({ kind: 'mail', to: ['a'] })
  expect(await expectJson(await ask('kind=call&number=5'))).toEqual({ kind: 'call', number: '5' })
  expect(
    pointers(await expectProblem(await ask('kind=call&to=a&to=b&number=5'), 400, 'VALIDATION_FAILED')),
  ).toEqual(['#/to'])
})

const name = part('name', 'Ada')
const photo = part('photo', '\x89PNG', { name: 'me.png', type: 'image/png' })
const shown = { name: 'me.png', type: 'image/png', text: '\x89PNG' }
const unchosen = (field: string) => part(field, '', { name: '', type: 'application/octet-stream' })

describe('a file', () => {
  test('arrives with its name, its type and its bytes, and may be left out', async () => {
    expect(await expectJson(await send('/profiles', name, photo))).toEqual({
      name: 'Ada',
      photo: shown,
      pages: [],
    })
  })

  test('that was not chosen in a browser is none', async () => {
    const response = await send('/profiles', name, photo, unchosen('letter'), unchosen('pages'))
    expect(await expectJson(response)).toEqual({ name: 'Ada', photo: shown, pages: [] })
    const missing = await send('/profiles', name, unchosen('photo'))
    expect(pointers(await expectProblem(missing, 400, 'VALIDATION_FAILED'))).toEqual(['#/photo'])
  })

  test('may be one of several, and may be empty', async () => {
    const pages = ['one', 'two'].map((text) =>
      part('pages', text, { name: `${text}.txt`, type: 'text/plain' }),
    )
    const letter = part('letter', '', { name: 'empty', type: 'a/b' })
    expect(await expectJson(await send('/profiles', ...pages, name, photo, letter))).toMatchObject({
      pages: [{ name: 'one.txt', text: 'one' }, { text: 'two' }],
      letter: { name: 'empty', type: 'a/b', text: '' },
    })
  })

  test.each<{ what: string; parts: string[]; pointer: string; detail: string }>([
    {
      what: 'of another type',
      parts: [part('photo', 'x', { name: 'a', type: 'image/gif' })],
      pointer: '#/photo',
      detail: 'must be a file of type image/png or image/jpeg',
    },
    {
      what: 'without a type',
      parts: [part('photo', 'x', { name: 'a' })],
      pointer: '#/photo',
      detail: 'must be a file of type image/png or image/jpeg',
    },
    {
      what: 'too large',
      parts: [part('photo', 'x'.repeat(1_001), { name: 'a', type: 'image/png' })],
      pointer: '#/photo',
      detail: 'may have 1000 bytes at most',
    },
    {
      what: 'sent as a text',
      parts: [part('photo', 'x')],
      pointer: '#/photo',
      detail: 'Invalid input: expected file, received string',
    },
    {
      what: 'where a text belongs',
      parts: [photo, part('name', 'x', { name: 'a' })],
      pointer: '#/name',
      detail: 'Invalid input: expected string, received File',
    },
    { what: 'sent twice', parts: [photo, photo], pointer: '#/photo', detail: 'may occur only once' },
    {
      what: 'of another type in a list',
      parts: [photo, part('pages', 'x', { name: 'a', type: 'a/b' })],
      pointer: '#/pages/0',
      detail: 'must be a file of type text/plain',
    },
    {
      what: 'nobody asked for',
      parts: [photo, part('more', 'x', { name: 'a' })],
      pointer: '#/more',
      detail: 'is unknown',
    },
    {
      what: 'with a NUL in its name',
      parts: [photo, part('letter', 'x', { name: 'a\0.txt' })],
      pointer: '#/letter',
      detail: 'must have a file name of 255 bytes at most, without control characters, and not "." or ".."',
    },
  ])('$what is refused, and the field is named', async ({ parts, pointer, detail }) => {
    const sent = parts.some((one) => one.includes('name="name"')) ? parts : [name, ...parts]
    const problem = await expectProblem(await send('/profiles', ...sent), 400, 'VALIDATION_FAILED')
    expect(problem.errors).toEqual([{ detail, in: 'body', pointer }])
  })

  test.each(['../../etc/passwd', 'C:\\secret\\passwd', '/etc/passwd'])(
    'keeps the end of its name: %s',
    async (path) => {
      const letter = part('letter', 'x', { name: path })
      expect(await expectJson(await send('/profiles', name, photo, letter))).toMatchObject({
        letter: { name: 'passwd' },
      })
    },
  )

  test.each([
    ['curl 8', '%221%22', 'image/png'],
    ['curl 7, Go', '\\"1\\"', 'Image/PNG; charset=utf-8'],
  ])('is read as %s writes it', async (_who, quoted, type) => {
    const sent = part('photo', 'PNG', { name: `東京 ${quoted}.png`, type })
    expect(await expectJson(await send('/profiles', name, sent))).toMatchObject({
      photo: { name: '東京 "1".png', type: 'image/png', text: 'PNG' },
    })
  })
})

test.each([
  {
    what: 'no boundary',
    body: 'x',
    type: 'multipart/form-data',
    detail: 'The Content-Type of a multipart form needs a boundary, of 1 to 70 characters.',
  },
  {
    what: 'another boundary',
    body: `--x\r\n\r\n\r\n--x--\r\n`,
    detail: 'The body does not start with its boundary.',
  },
  {
    what: 'its end cut off',
    body: photo.slice(0, -9),
    detail: 'The body ends before its last boundary.',
  },
  {
    what: 'parts in a part',
    body: `${part('name', 'x', { name: 'a', type: 'multipart/mixed; boundary=b' })}--${boundary}--\r\n`,
    detail: 'The part "name" is multipart itself: send each file in a part of its own.',
  },
])('a form with $what is malformed, and says how', async ({ body, type, detail }) => {
  const headers = { 'Content-Type': type ?? `multipart/form-data; boundary=${boundary}` }
  const problem = await expectProblem(await lab.api('/profiles', { body, headers }), 400, 'MALFORMED_REQUEST')
  expect(problem.detail).toBe(detail)
})
