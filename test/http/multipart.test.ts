import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMultipart } from '#src/runtime/http/multipart.ts'
import { boundary, end, named, part, plain, read, refusal } from '#test/support/multipart.ts'

test('what Node, and so any browser, writes of a form is read as it was', async () => {
  const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll(/\r\n|\r|\n/g, '\r\n'))
  const name = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll(/[\p{Cc}]/gu, ''))
  const fileName = name.map((value) => `${value.replaceAll(/[/\\]/g, '')}.bin`.slice(-80))
  const field = fc.oneof(
    fc.record({ name, text }),
    fc.record({ name, fileName, bytes: fc.uint8Array({ maxLength: 50 }) }),
  )
  const property = fc.asyncProperty(fc.array(field, { maxLength: 8 }), async (fields) => {
    const form = new FormData()
    for (const one of fields) {
      if ('text' in one) form.append(one.name, one.text)
      else form.append(one.name, new File([one.bytes], one.fileName, { type: 'image/png' }))
    }
    const sent = new Response(form)
    const parts = parseMultipart(
      Buffer.from(await sent.arrayBuffer()),
      sent.headers.get('content-type') ?? '',
    )
    expect(parts).toHaveLength(fields.length)
    for (const [index, one] of fields.entries()) {
      const [name, value] = parts[index] ?? []
      expect(name).toBe(one.name)
      if ('text' in one) expect(value).toBe(one.text)
      else {
        if (!(value instanceof File)) throw new Error('It is no file')
        expect([value.name, value.type, ...(await value.bytes())]).toEqual([
          one.fileName,
          'image/png',
          ...one.bytes,
        ])
      }
    }
  })
  await fc.assert(property, { numRuns: 300 })
})

const named3 = [['a', 'x']]
test.each<[what: string, body: string, parts: unknown]>([
  ['a name without quotes', part('Content-Disposition: form-data; name=a'), named3],
  ['headers in capitals, in any order', part('X-A: 1\r\nCONTENT-DISPOSITION: Form-Data; NAME="a"'), named3],
  ['a semicolon at the end', named(';'), named3],
  ['no space', part('Content-Disposition:form-data;name="a"'), named3],
  ['a line break before the first boundary', `\r\n${plain}`, named3],
  ['an empty text', part('Content-Disposition: form-data; name="a"', ''), [['a', '']]],
  [
    'line breaks',
    part('Content-Disposition: form-data; name="a"', '\r\n\n\r\n\r\n--\r\n'),
    [['a', '\r\n\n\r\n\r\n--\r\n']],
  ],
  [
    'the boundary within a line',
    part('Content-Disposition: form-data; name="a"', `x--${boundary}y`),
    [['a', `x--${boundary}y`]],
  ],
  ['an encoding that is none', named('\r\nContent-Transfer-Encoding: 8bit'), named3],
  ['a type of its own', named('\r\nContent-Type: application/json; charset=utf-8'), named3],
  [
    'curl’s file',
    named('; filename="a b.txt"\r\nContent-Type: Text/Plain; charset=utf-8'),
    [['a', 'a b.txt', 'text/plain', 'x']],
  ],
  ['a file without a type', named('; filename="t"'), [['a', 't', '', 'x']]],
  ['a browser’s quotation mark', named('; filename="a%22b%41.txt"'), [['a', 'a"b%41.txt', '', 'x']]],
  ['Go’s quotation mark', named('; filename="a\\"b.txt"'), [['a', 'a"b.txt', '', 'x']]],
  ['a semicolon in a name', named('; filename="a;b=c.txt"'), [['a', 'a;b=c.txt', '', 'x']]],
  ['a name that ends with a backslash', named('; filename="a\\"'), [['a', '', '', 'x']]],
  [
    'a field whose name ends with a backslash, and a file',
    part('Content-Disposition: form-data; name="a\\"; filename="b.txt"'),
    [['a\\', 'b.txt', '', 'x']],
  ],
  ['an older library’s file name', named("; filename*=utf-8''%E6%9D%B1%22.txt"), [['a', '東".txt', '', 'x']]],
  ['both file names', named('; filename="t.txt"; filename*=UTF-8\'en\'%e6%9d%b1'), [['a', '東', '', 'x']]],
  ['no parts', '', []],
])('a form with %s is read', async (_what, body, parts) => {
  expect(await read(body + end)).toEqual(parts)
})

test.each([
  `multipart/form-data; boundary="${boundary}"`,
  `multipart/form-data;charset=utf-8;boundary=${boundary}`,
  `Multipart/Form-Data; BOUNDARY = ${boundary} ; a=b`,
  `multipart/form-data; a="; boundary=b"; boundary=${boundary}`,
])('the boundary is found: %s', async (contentType) => {
  expect(await read(plain + end, contentType)).toEqual(named3)
})

test('a boundary may be as short as one character, and the end without a line break', async () => {
  const body = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--'
  expect(await read(body, 'multipart/form-data; boundary=b')).toEqual(named3)
})

const noBoundary = 'The Content-Type of a multipart form needs a boundary, of 1 to 70 characters.'
const unreadable = 'A header of the form has parameters that cannot be read.'
test.each<[contentType: string, message: string]>([
  ['multipart/form-data', noBoundary],
  ['multipart/form-data; boundary=', noBoundary],
  ['multipart/form-data; boundary=""', noBoundary],
  [`multipart/form-data; boundary=${'b'.repeat(71)}`, noBoundary],
  ['multipart/form-data; boundary=bé', noBoundary],
  ['multipart/form-data; boundary="b ', unreadable],
  [`multipart/form-data; boundary=a; boundary=${boundary}`, unreadable],
  [`multipart/form-data; boundary=${boundary}, multipart/form-data; boundary=x`, unreadable],
])('what states no boundary is refused: %s', (contentType, message) => {
  expect(refusal(plain + end, contentType)).toBe(message)
})

const notFirst = 'The body does not start with its boundary.'
const noEnd = 'The body ends before its last boundary.'
const goesOn = 'The body goes on after its last boundary.'
const noHeader = 'A part has no header Content-Disposition: form-data; name="…".'
const noHeaders = 'A part has no end of its headers within 4096 bytes.'
const badHeader = 'A part has a malformed header, a repeated header, or more than 16 headers.'
const encoded = 'The part "a" has a Content-Transfer-Encoding: send its bytes without one.'
const badExtended = 'The part "a" has a filename* that is not percent-encoded UTF-8.'
const afterBoundary = 'The boundary is followed by something else than a line break.'
const badName =
  'A file must have a file name of 255 bytes at most, without control characters, and not "." or "..".'
test.each<[what: string, body: string | Uint8Array, message: string]>([
  ['nothing', '', notFirst],
  ['another boundary', `--other\r\n\r\n--other--\r\n`, notFirst],
  ['a preamble', `hello\r\n${plain}${end}`, notFirst],
  ['lines that end with a line feed', (plain + end).replaceAll('\r\n', '\n'), noEnd],
  ['no end', plain, noEnd],
  ['half an end', `${plain}--${boundary}-`, noEnd],
  ['an epilogue', `${plain}${end}more`, goesOn],
  ['another form behind', `${plain}${end}${plain}${end}`, afterBoundary],
  ['more behind the boundary', `--${boundary}x\r\n\r\n\r\n${end}`, afterBoundary],
  ['a line that begins like the boundary', `${named('')}--${boundary}x\r\n\r\n\r\n${end}`, afterBoundary],
  ['a part of nothing', `--${boundary}\r\n${end}`, noHeaders],
  ['a part without headers', `--${boundary}\r\n\r\nx\r\n${end}`, noHeader],
  ['a part without a name', part('Content-Disposition: form-data') + end, noHeader],
  ['a part of another kind', part('Content-Disposition: attachment; name="a"') + end, noHeader],
  ['a folded header', part('Content-Disposition: form-data;\r\n name="a"') + end, badHeader],
  ['a line that is no header', named('\r\nrubbish') + end, badHeader],
  ['a header twice', named('\r\nContent-Disposition: form-data; name="b"') + end, badHeader],
  ['a name twice', named('; name="b"') + end, unreadable],
  ['a name without its end', part('Content-Disposition: form-data; name="a') + end, unreadable],
  ['long headers', named(`\r\nX-A: ${'x'.repeat(4096)}`) + end, noHeaders],
  [
    '17 headers',
    named(Array.from({ length: 16 }, (_none, at) => `\r\nX-${at}: 1`).join('')) + end,
    badHeader,
  ],
  [
    '17 parameters',
    named(Array.from({ length: 16 }, (_none, at) => `; p${at}=1`).join('')) + end,
    unreadable,
  ],
  ['nothing but semicolons', named(';'.repeat(1_000)) + end, unreadable],
  [
    'a name of 256 characters',
    part(`Content-Disposition: form-data; name="${'a'.repeat(256)}"`) + end,
    'A field has a name of more than 255 characters.',
  ],
  ['base64', named('\r\nContent-Transfer-Encoding: base64') + end, encoded],
  ['quoted-printable', named('\r\nContent-Transfer-Encoding: Quoted-Printable') + end, encoded],
  [
    'parts in a part',
    named('\r\nContent-Type: multipart/mixed; boundary=q') + end,
    'The part "a" is multipart itself: send each file in a part of its own.',
  ],
  [
    'a text that is no UTF-8',
    Buffer.from(part('Content-Disposition: form-data; name="a"', '\xff') + end, 'latin1'),
    'The part "a" is neither a text in UTF-8 nor a file with a filename.',
  ],
  [
    'a name that is no UTF-8',
    Buffer.from(part('Content-Disposition: form-data; name="\xff"') + end, 'latin1'),
    'The headers of a part are not UTF-8.',
  ],
  [
    'a lone surrogate in a name',
    Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="`),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from(`"\r\n\r\n\r\n${end}`),
    ]),
    'The headers of a part are not UTF-8.',
  ],
  ['filename* in Latin-1', named("; filename*=iso-8859-1''%e9") + end, badExtended],
  ['filename* of a lone surrogate', named("; filename*=utf-8''%ED%A0%80") + end, badExtended],
  ['filename* without quotes', named('; filename*=x') + end, badExtended],
  ['a NUL in a file name', named('; filename="a\0.txt"') + end, badName],
  ['an encoded NUL in a file name', named("; filename*=utf-8''a%00.txt") + end, badName],
  ['a line break in a file name', named('; filename="a%0D%0Ab"') + end, badName],
  ['a tabulator in a file name', named('; filename="a\tb"') + end, badName],
  ['the folder above', named('; filename=".."') + end, badName],
  ['the folder above, at the end', named('; filename="../.."') + end, badName],
  ['a file name of 256 bytes', named(`; filename="${'é'.repeat(128)}"`) + end, badName],
])('a form with %s is refused', (_what, body, message) => {
  expect(refusal(body)).toBe(message)
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['/etc/passwd', 'passwd'],
  ['C:\\dir\\x.txt', 'x.txt'],
  ['a/b', 'b'],
  ['..\\..\\x', 'x'],
  ['...', '...'],
  ['.env', '.env'],
  ['é'.repeat(127), 'é'.repeat(127)],
])('the folders before a file name are left out: %s', async (sent, name) => {
  expect(await read(named(`; filename="${sent}"`) + end)).toEqual([['a', name, '', 'x']])
})
