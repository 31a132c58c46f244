import type { Input } from './inputs.ts'
import type { Kind } from './schemas.ts'
import { listOf, mebibyte, recordOf, recordsOf } from './texts.ts'

const type = 'application/json'

/** What is no right body of this kind, beside a right one of as many bytes. */
function wrong(name: string, kind: Kind, body: string, right?: string): Input {
  return { name, path: `/${kind}`, type, body, reference: { kind, ...(right && { right }) } }
}

/** A right body. */
const right = wrong

/** One that 80 clients send for some seconds as well. */
const stormy = (input: Input): Input => ({ ...input, inStorm: true })

const inText = (what: string) => `{"text":"${what.repeat(Math.floor((mebibyte - 11) / what.length))}"}`
const anyText = inText('x')
/** A list of 99,999 values, the most that a body may hold with its list. */
const most = (item: string) => listOf(item, 99_999 * (item.length + 1) + 2)
const object = (value: string) => (at: number) => `"field${at}":${value}`
const wide = (value: string) => `{${Array.from({ length: 20 }, (_none, at) => object(value)(at)).join(',')}}`

/** Bodies of JSON that cost as much as one can within the limits, and beyond them. */
export const jsonInputs: readonly Input[] = [
  wrong('349,525 wrong items', 'texts', listOf('{}'), listOf('"1"')),
  stormy(wrong('524,287 wrong items', 'texts', listOf('0'), listOf('"1"'))),
  wrong('99,999 wrong items', 'texts', most('0'), listOf('"1"', 200_000)),
  stormy(wrong('1 MiB of zeros', 'integers', listOf('0'))),
  { ...wrong('80 × 1 MiB of zeros at once', 'integers', listOf('0')), clients: 80 },
  wrong('1 MiB of integers', 'integers', listOf('1234567')),
  stormy(right('99,999 integers', 'integers', most('1'))),
  right('99,999 integers in 1 MiB', 'integers', most('123456789')),
  wrong('1 MiB of empty objects', 'objects', listOf('{}')),
  stormy(right('99,999 empty objects', 'objects', most('{}'))),
  wrong('strings that fail four checks', 'checked', most('"B"'), listOf('"abcdef"', 400_000)),
  wrong('2,400 such, each error listed', 'checked', listOf('"B"', 9600), listOf('"abcdef"', 9600)),
  { ...wrong('objects that miss 20 fields', 'wide', most('{}')), reference: { kind: 'objects' } },
  wrong('240 such, each error listed', 'wide', listOf('{}', 720), listOf(wide('"1"'), 720)),
  right('objects of 20 fields', 'wide', listOf(wide('"1"'), 1_000_000)),
  wrong(
    'unions that take nothing',
    'unions',
    most('{"d":1}')
      .slice(0, 400_000 - 1)
      .replace(/,[^,]*$/, ']'),
  ),
  right('unions', 'unions', listOf('{"c":true}', 550_000)),
  wrong('joined lists', 'joined', most('0'), most('1')),
  wrong('a record of wrong values', 'record', recordOf('"1"', 95_000), recordOf('100', 95_000)),
  stormy(right('a record', 'record', recordOf('1', 99_990))),
  wrong('1 MiB of keys', 'record', recordOf('1', 110_000)),
  wrong('records of wrong values', 'records', recordsOf('"1"', 94_000), recordsOf('100', 94_000)),
  right('records', 'records', recordsOf('1', 99_990)),
  wrong('other keys of wrong values', 'others', recordOf('"1"', 95_000), recordOf('100', 95_000)),
  stormy(wrong('a key of 1 MiB', 'text', `{"${'k'.repeat(mebibyte - 6)}":1}`, anyText)),
  stormy(right('a text of 1 MiB', 'text', anyText)),
  right('1 MiB of \\u0041', 'text', inText('\\u0041')),
  wrong('1 MiB of \\u0000', 'text', inText('\\u0000')),
  right('1 MiB of \\ud83d\\ude00', 'text', inText('\\ud83d\\ude00')),
  wrong('1 MiB of \\ud83d', 'text', inText('\\ud83d')),
  right('99,998 zeros and an emoji', 'anything', `${most('0').slice(0, -2)}"\\ud83d\\ude00"]`),
  wrong('99,998 zeros and a NUL', 'anything', `${most('0').slice(0, -2)}"\\u0000"]`),
  wrong('a NUL and 99,998 zeros', 'anything', `["\\u0000"${most('0').slice(2)}`),
  wrong('a number of 1 MiB', 'integers', `[${'1'.repeat(mebibyte - 2)}]`),
  wrong('1 MiB of [', 'texts', '['.repeat(mebibyte), listOf('""')),
  wrong('1 MiB of [[…]]', 'texts', '['.repeat(mebibyte / 2) + ']'.repeat(mebibyte / 2), listOf('""')),
  wrong('1 MiB of "', 'texts', '"'.repeat(mebibyte), listOf('""')),
  right('1 MiB of blanks', 'texts', `${' '.repeat(mebibyte - 2)}[]`),
]
