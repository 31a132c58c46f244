import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { flag, host, integer, list, oneOf, origin, seconds, secureUrl } from '#src/runtime/config/values.ts'

const parse = <Schema extends z.ZodType>(schema: Schema, text: string) => schema.safeParse(text).data

test('a whole number is what its digits say, within its bounds', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (value, one, other) => {
      const [min, max] = [Math.min(one, other), Math.max(one, other)]
      const right = value >= min && value <= max && value < 1e9
      expect(parse(integer(min, max), String(value))).toBe(right ? value : undefined)
    }),
  )
})

test('no other text is a whole number', () => {
  const digits = /^\d{1,9}$/
  const odd = fc.oneof(fc.string(), fc.double().map(String), fc.stringMatching(/^[-+ ]?\d{1,12}[.e_ ]?\d*$/))
  fc.assert(
    fc.property(odd, (text) => {
      expect(parse(integer(0, 999_999_999), text)).toBe(digits.test(text) ? Number(text) : undefined)
    }),
  )
})

test('a duration is its number in its unit', () => {
  const units = { '': 1, s: 1, m: 60, h: 3600 }
  const unit = fc.constantFrom('', 's', 'm', 'h')
  fc.assert(
    fc.property(fc.nat(999_999), unit, fc.nat(10_000_000), (count, suffix, max) => {
      const value = count * units[suffix as keyof typeof units]
      expect(parse(seconds(1, max), `${count}${suffix}`)).toBe(value >= 1 && value <= max ? value : undefined)
    }),
  )
})

test('no other text is a duration', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{0,3}[a-zA-Z .]{0,2}$/)), (text) => {
      fc.pre(!/^\d{1,9}[smh]?$/.test(text))
      expect(parse(seconds(0, 1e12), text)).toBeUndefined()
    }),
  )
})

test('a list is its entries, whatever blanks and empty ones stand between', () => {
  // what ends in a number, such as a.0 or a.0x, would have to be an IP address
  const entry = fc.stringMatching(/^([a-z0-9]{1,5}[.-]){0,3}[a-z]{1,8}$/)
  const blank = fc.constantFrom('', ' ', '\t', '  ')
  const padded = fc.tuple(blank, fc.option(entry, { nil: '' }), blank)
  fc.assert(
    fc.property(fc.array(padded), (parts) => {
      const text = parts.map((part) => part.join('')).join(',')
      expect(parse(list('hosts', host), text)).toEqual(parts.map(([, name]) => name).filter(Boolean))
    }),
  )
})

test('one entry that is wrong makes the list wrong', () => {
  const good = fc.array(fc.domain())
  fc.assert(
    fc.property(good, fc.constantFrom('a b', 'http://a', '-a', 'a/'), good, (before, bad, after) => {
      expect(parse(list('hosts', host), [...before, bad, ...after].join(','))).toBeUndefined()
    }),
  )
})

test('a host is taken as it is, in lower case, with its port', () => {
  fc.assert(
    fc.property(fc.domain(), fc.option(fc.integer({ min: 1, max: 65_535 })), (name, port) => {
      const text = port === null ? name : `${name}:${port}`
      expect(host(text.toUpperCase())).toBe(text.toLowerCase())
    }),
  )
})

test('an origin is what URL says it is, and nothing with a path, query, fragment or credentials', () => {
  const scheme = fc.constantFrom('http', 'https')
  fc.assert(
    fc.property(scheme, fc.domain(), fc.constantFrom('', '/'), (protocol, name, end) => {
      expect(origin(`${protocol}://${name}${end}`)).toBe(new URL(`${protocol}://${name}`).origin)
      for (const more of ['/x', '?', '#', '/?x=1', '//', '\\', '/.']) {
        expect(origin(`${protocol}://${name}${more}`)).toBeUndefined()
      }
      expect(origin(`${protocol}://u:p@${name}`)).toBeUndefined()
    }),
  )
})

test('no text makes these throw, and what they take holds what they promise', () => {
  const text = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.domain(),
    fc.constantFrom('https://', '://', 'http:x', 'https:/a'),
  )
  fc.assert(
    fc.property(text, (value) => {
      const taken = origin(value)
      if (taken !== undefined) expect(new URL(taken).origin).toBe(taken)
      const url = secureUrl(value)
      if (url !== undefined) expect(new URL(url).protocol).toMatch(/^https?:$/)
      const name = host(value)
      if (name !== undefined) expect(new URL(`https://${name.split(':')[0]}`).pathname).toBe('/')
    }),
  )
})

test('plain http is taken to this machine only', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4()), (name) => {
      const loopback = name === 'localhost' || name.startsWith('127.')
      expect(secureUrl(`http://${name}/keys`) !== undefined).toBe(loopback)
      expect(secureUrl(`https://${name}/keys`)).toBe(`https://${name}/keys`)
    }),
  )
})

test('a flag and a choice are taken by their exact names', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('true', 'false', 'True', 'one', 'two', 'toString')),
      (text) => {
        expect(parse(flag(), text)).toBe(text === 'true' ? true : text === 'false' ? false : undefined)
        expect(parse(oneOf(['one', 'two']), text)).toBe(['one', 'two'].find((name) => name === text))
      },
    ),
  )
})
