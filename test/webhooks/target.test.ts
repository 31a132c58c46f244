import { describe, expect, test } from 'vitest'
import { addressesOf, isPublic, refusalOf } from '#src/webhooks/target.ts'

const noAddress = 'The host has no address, or one that is not public'

/** The first and the last address of each range, or one in it. */
const inside = [
  ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255'],
  ...['127.0.0.1', '127.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
  ...['172.16.0.0', '172.31.255.255', '192.0.0.0', '192.0.0.255', '192.0.2.1', '192.88.99.1'],
  ...['192.168.0.0', '192.168.255.255', '198.18.0.0', '198.19.255.255', '198.51.100.7', '203.0.113.7'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.0', '255.255.255.255'],
  ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a00:1', '::ffff:0:808:808'],
  ...['64:ff9b::a9fe:a9fe', '64:ff9b::808:808', '64:ff9b:1::1', '100::1', '2001::1', '2001:10::1'],
  ...['2001:db8::1', '2001:db8:ffff::1', '2002:7f00:1::1', '2002:808:808::1', '3fff::1', '3fff:fff::1'],
  ...['4000::1', '5f00::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1'],
  ...['ff02::1', '', 'localhost', '127.1', '8.8.8.8.8'],
]
const outside = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0'],
  ...['192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
  ...['2001:200::1', '2001:4860:4860::8888', '2003::1', '2606:4700:4700::1111', '3ffe::1'],
]

test.each(inside)('%j is no public address', (address) => {
  expect(isPublic(address)).toBe(false)
})

test.each(outside)('%j is one', (address) => {
  expect(isPublic(address)).toBe(true)
})

describe('a URL', () => {
  const refusal = (url: string, hosts: string[] = []) => refusalOf(new URL(url), hosts)

  test.each([
    ['http://shop.example.com/', 'It must start with https://'],
    ['ftp://shop.example.com/', 'It must start with https://'],
    ['data:text/plain,x', 'It must start with https://'],
    ['https://alice@shop.example.com/', 'It must not contain a user name or a password'],
    ['https://:word@shop.example.com/', 'It must not contain a user name or a password'],
    ['https://shop.example.com:22/', 'Its port must be 443, or 1024 or above'],
    ['https://shop.example.com:80/', 'Its port must be 443, or 1024 or above'],
    ['https://127.0.0.1/', noAddress],
    ['https://2130706433/', noAddress],
    ['https://0x7f.1/', noAddress],
    ['https://017700000001/', noAddress],
    ['https://127.0.0.1./', noAddress],
    ['https://①②⑦.0.0.1/', noAddress],
    ['https://169.254.169.254/computeMetadata/v1/', noAddress],
    ['https://[::1]/', noAddress],
    ['https://[::ffff:169.254.169.254]/', noAddress],
    ['https://[fe80::1]:8443/', noAddress],
  ])('%s is refused: %s', (url, why) => {
    expect(refusal(url)).toBe(why)
  })

  test.each([
    'https://shop.example.com/hooks?key=1#x',
    'https://shop.example.com:443/',
    'https://shop.example.com:1024/',
    'https://8.8.8.8/',
    'https://[2001:4860:4860::8888]/',
  ])('%s is not', (url) => {
    expect(refusal(url)).toBeUndefined()
  })

  test('may have a private host, by http too, only if that host is listed', () => {
    expect(refusal('http://localhost:9000/', ['localhost'])).toBeUndefined()
    expect(refusal('http://localhost:9000/', ['localhost:9000'])).toBeUndefined()
    expect(refusal('https://[::1]/', ['[::1]'])).toBeUndefined()
    expect(refusal('http://localhost:9001/', ['localhost:9000'])).toBe('It must start with https://')
    expect(refusal('http://evil.localhost/', ['localhost'])).toBe('It must start with https://')
    expect(refusal('http://a@localhost/', ['localhost'])).toMatch(/user name/)
  })
})

describe('a host name', () => {
  const found = (...addresses: string[]) => {
    const asked: string[] = []
    const resolve = async (name: string) => {
      asked.push(name)
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    }
    return { asked, resolve }
  }
  const url = new URL('https://shop.example.com/')

  test('is looked up once, and its addresses are those to connect to', async () => {
    const { asked, resolve } = found('8.8.8.8', '2001:4860:4860::8888')
    expect(await addressesOf(url, [], resolve)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2001:4860:4860::8888', family: 6 },
    ])
    expect(asked).toEqual(['shop.example.com'])
  })

  test.each([
    ['one address that is not public', ['169.254.169.254']],
    ['one of several', ['8.8.8.8', '10.0.0.1']],
    ['a mapped one', ['::ffff:10.0.0.1']],
    ['none', []],
  ])('with %s is refused, in the same words', async (_what, addresses) => {
    await expect(addressesOf(url, [], found(...addresses).resolve)).rejects.toThrow(noAddress)
  })

  test('that nobody knows is refused in these words as well', async () => {
    const unknown = async () => Promise.reject(new Error('getaddrinfo ENOTFOUND'))
    await expect(addressesOf(url, [], unknown)).rejects.toThrow(noAddress)
    for (const name of ['metadata.google.internal', 'localhost'])
      await expect(addressesOf(new URL(`https://${name}/`), [])).rejects.toThrow(noAddress)
  })

  test('that is listed may have any', async () => {
    const { resolve } = found('10.0.0.1')
    expect(await addressesOf(url, ['shop.example.com'], resolve)).toHaveLength(1)
    await expect(addressesOf(url, ['other.example.com'], resolve)).rejects.toThrow(noAddress)
  })

  test('that is an address is not looked up', async () => {
    const { asked, resolve } = found('10.0.0.1')
    expect(await addressesOf(new URL('https://8.8.8.8/'), [], resolve)).toEqual([
      { address: '8.8.8.8', family: 4 },
    ])
    await expect(addressesOf(new URL('https://[::1]/'), [], resolve)).rejects.toThrow(noAddress)
    expect(asked).toEqual([])
  })
})
