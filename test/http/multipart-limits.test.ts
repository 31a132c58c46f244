import { expect, test } from 'vitest'
import { parseMultipart } from '#src/runtime/http/multipart.ts'
import { allocatedBy } from '#test/support/allocated.ts'
import { boundary, end, named, plain, refusal, type } from '#test/support/multipart.ts'

const noHeaders = 'A part has no end of its headers within 4096 bytes.'

test('parts are counted before one is parsed', () => {
  const broken = `--${boundary}\r\nno header\r\n`
  expect(refusal(broken.repeat(1_001) + end)).toBe('The body has more than 1000 fields.')
  expect(refusal(broken.repeat(1_000) + end)).toBe(noHeaders)
})

test('files are counted, up to what the route takes', () => {
  const files = named('; filename="a"').repeat(100)
  const read = (body: string, most?: number) => parseMultipart(Buffer.from(body + end), type, most).length
  expect(read(files + plain)).toBe(101)
  expect(refusal(files + named('; filename="a"') + end)).toBe('The body has more than 100 files.')
  expect(read(files + files, 200)).toBe(200)
  expect(() => read(files + files, 199)).toThrow('The body has more than 199 files.')
})

test('each byte is looked at as often in a long body as in a short one', () => {
  const work = (parts: number) => {
    const bytes = Buffer.from(named('; filename="a.txt"').repeat(parts) + end)
    let searched = 0
    const counted = Object.assign(bytes, {
      indexOf(wanted: Buffer, from = 0): number {
        const found = Buffer.prototype.indexOf.call(bytes, wanted, from)
        searched += (found < 0 ? bytes.length : found) - from
        return found
      },
    })
    const allocated = allocatedBy(() => expect(parseMultipart(counted, type, 1_000)).toHaveLength(parts))
    expect(searched).toBeLessThanOrEqual(bytes.length)
    return allocated
  }
  work(1_000)
  expect(work(1_000)).toBeLessThan(20 * work(100))
})
