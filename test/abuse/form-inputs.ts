import type { Input } from './inputs.ts'
import { listOf, mebibyte } from './texts.ts'

/** How many fields a form may have. */
const most = 1_000
const boundary = 'x'.repeat(70)
const kinds = {
  pairs: 'application/x-www-form-urlencoded',
  parts: `multipart/form-data; boundary=${boundary}`,
} as const

/** A form, beside a list of as many texts and as many bytes of JSON. */
function form(name: string, kind: keyof typeof kinds, body: string, texts = most, path = '/form'): Input {
  const length = Math.max(1, Math.floor((body.length - 2) / texts) - 3)
  const right = listOf(`"${'x'.repeat(length)}"`, body.length)
  return { name, path, type: kinds[kind], body, reference: { kind: 'texts', right } }
}

/** So many fields whose values fill the body with this text. */
function pairs(text: string, count = most): string {
  const times = Math.floor((mebibyte / count - 5) / text.length)
  return Array.from({ length: count }, () => `tag=${text.repeat(times)}`).join('&')
}

/** So many parts; what a head and a content are made of, again and again, up to the body's limit. */
function parts(count: number, head: string, content = ''): string {
  const one = (text: string) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`
  const room = Math.max(0, Math.floor((mebibyte - 100) / count) - one('').length)
  const times = content === '' ? 0 : Math.floor(room / content.length)
  return `${one(content.repeat(times)).repeat(count)}--${boundary}--`
}

/** A head whose repeated piece fills the bytes that it may have. */
function head(before: string, piece: string, after: string, size = 4_000): string {
  return before + piece.repeat(Math.floor((size - before.length - after.length) / piece.length)) + after
}

/** As many parts of such heads as 1 MiB has, and a form may. */
const heads = (head: string) =>
  parts(Math.min(most, Math.floor((mebibyte - 100) / (head.length + 130))), head)
/** As many files as a form may have. */
const files = (head: string) => parts(100, head)
const headers = (count: number) =>
  heads(
    `name="tag"${Array.from({ length: count }, (_none, at) => `\r\nX-${at}: ${'x'.repeat(40)}`)
      .join('')
      .slice(0, 3_900)}`,
  )
const parameters = (count: number) =>
  heads(
    `name="tag"${Array.from({ length: count }, (_none, at) => `; p${at}="${'x'.repeat(40)}"`)
      .join('')
      .slice(0, 3_900)}`,
  )

/** Forms that cost as much as one can within the limits, and beyond them. */
export const formInputs: readonly Input[] = [
  form('form, 40,000 × tag=1', 'pairs', 'tag=1&'.repeat(40_000)),
  form('form, 1,000 × tag=1', 'pairs', Array(most).fill('tag=1').join('&')),
  form('form, 1,000 fields in 1 MiB', 'pairs', pairs('x')),
  form('form, 1 MiB of %41', 'pairs', pairs('%41')),
  form('form, 1 MiB of %E2%82%AC', 'pairs', pairs('%E2%82%AC')),
  form('form, 1 MiB of +', 'pairs', pairs('+')),
  form('form, a field of 1 MiB of %41', 'pairs', pairs('%41', 1), 1),
  form('form, a field of 1 MiB of %00', 'pairs', pairs('%00', 1), 1),
  form('form, 1 MiB of &', 'pairs', '&'.repeat(mebibyte)),
  form(
    'form, 1,000 unknown names',
    'pairs',
    Array.from({ length: most }, (_none, at) => `${'%41'.repeat(340)}${at}=1`).join('&'),
  ),
  form(
    'form, 500 names that stand twice',
    'pairs',
    Array.from({ length: most }, (_none, at) => `${'%41'.repeat(340)}${at % 500}=1`).join('&'),
  ),
  form('multipart, 15,000 parts', 'parts', parts(15_000, 'name="tag"').slice(0, mebibyte)),
  form('multipart, 1,000 texts', 'parts', parts(most, 'name="tag"')),
  form('multipart, 1,000 texts in 1 MiB', 'parts', parts(most, 'name="tag"', 'x')),
  form('multipart, 1,000 files', 'parts', parts(most, 'name="tag"; filename="a"'), most, '/files'),
  form(
    'multipart, 1,000 files in 1 MiB',
    'parts',
    parts(most, 'name="tag"; filename="a"', 'x'),
    most,
    '/files',
  ),
  form('multipart, 100 files', 'parts', parts(100, 'name="tag"; filename="a"'), 100, '/files'),
  form('multipart, 100 files in 1 MiB', 'parts', parts(100, 'name="tag"; filename="a"', 'x'), 100, '/files'),
  form('multipart, all but boundaries', 'parts', parts(1, 'name="tag"', `\r\n--${boundary.slice(1)}`), 1),
  form('multipart, 1 MiB of line breaks', 'parts', parts(1, 'name="tag"', '\r\n'), 1),
  form('multipart, names of %22', 'parts', heads(head('name="', '%22', '"', 255)), most),
  form('multipart, names of \\"', 'parts', heads(head('name="', '\\"', '"', 255)), most),
  form('multipart, long names of %22', 'parts', heads(head('name="', '%22', '"')), 250),
  form(
    'multipart, files of %22',
    'parts',
    files(head('name="tag"; filename="', '%22', '"', 780)),
    100,
    '/files',
  ),
  form(
    'multipart, files of %22/',
    'parts',
    files(head('name="tag"; filename="', '%22/', 'a"')),
    100,
    '/files',
  ),
  form(
    'multipart, filename* of %41',
    'parts',
    files(head(`name="tag"; filename*=utf-8''`, '%41', '', 780)),
    100,
    '/files',
  ),
  form('multipart, 16 headers', 'parts', headers(15), most),
  form('multipart, many headers', 'parts', headers(400), 300),
  form('multipart, 16 parameters', 'parts', parameters(15), most),
  form('multipart, many parameters', 'parts', parameters(400), 300),
  form('multipart, 4 KiB of ;', 'parts', heads(head('name="tag"', ';', '')), 250),
  form('1,000 texts on a plain route', 'parts', parts(most, 'name="tag"', 'x'), most, '/plain-form'),
  form(
    '1,000 files on a plain route',
    'parts',
    parts(most, 'name="tag"; filename="a"', 'x'),
    most,
    '/plain-form',
  ),
]
