import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

/** An address that a host name stands for. */
export interface Address {
  readonly address: string
  readonly family: number
}

/** Finds the addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>

/**
 * The IPv4 addresses that are not public.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 */
const special4 = blockList('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
])

/** The IPv6 addresses that can be public. All others are local, or stand for an IPv4 address (`::ffff:`, `64:ff9b::`). */
const global6 = blockList('ipv6', ['2000::/3'])

/**
 * Those among them that are not public: protocols and tunnels (Teredo, 6to4), and documentation.
 *
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const special6 = blockList('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])

/** One message for all: which names exist inside the network is nobody's business. */
const noAddress = 'The host has no address, or one that is not public'

/** Whether an address is one of the public internet. */
export function isPublic(address: string): boolean {
  const [ip = ''] = address.split('%') // the zone of a link-local address
  if (isIP(ip) === 4) return !special4.check(ip, 'ipv4')
  return isIP(ip) === 6 && global6.check(ip, 'ipv6') && !special6.check(ip, 'ipv6')
}

/**
 * Why nothing is sent to a URL, as far as the URL itself tells; `undefined` if something may be.
 *
 * @param privateHosts the hosts, with or without a port, that may have private addresses and plain http
 */
export function refusalOf(url: URL | null, privateHosts: readonly string[]): string | undefined {
  if (!url) return 'It is not a URL'
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'It must start with https://'
  if (url.username || url.password) return 'It must not contain a user name or a password'
  if (isAllowed(url, privateHosts)) return undefined
  if (url.protocol !== 'https:') return 'It must start with https://'
  if (url.port !== '' && Number(url.port) < 1024) return 'Its port must be 443, or 1024 or above'
  const ip = literalOf(url)
  return ip && !isPublic(ip) ? noAddress : undefined
}

/**
 * Finds the addresses of a URL's host, and checks each: one that is not public refuses them all. A connection must be opened to
 * exactly these addresses: a second look-up could find others (DNS rebinding).
 *
 * @throws {Refusal} with a message for the owner of the webhook
 */
export async function addressesOf(
  url: URL,
  privateHosts: readonly string[],
  resolve: Resolve = resolveName,
): Promise<readonly Address[]> {
  const refusal = refusalOf(url, privateHosts)
  if (refusal) throw new Refusal(refusal)
  const ip = literalOf(url)
  const found = ip ? [{ address: ip, family: isIP(ip) }] : await resolve(url.hostname).catch(() => [])
  const areGood = isAllowed(url, privateHosts) || found.every(({ address }) => isPublic(address))
  if (found.length === 0 || !areGood) throw new Refusal(noAddress)
  return found
}

/** Nothing was sent, for a reason that the owner of the webhook may read. */
export class Refusal extends Error {}

function resolveName(hostname: string): Promise<Address[]> {
  return lookup(hostname, { all: true })
}

/** The host, if it is an IP address. `URL` has put it into its usual form: `0x7f.1` is `127.0.0.1`. */
function literalOf({ hostname }: URL): string | undefined {
  const ip = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(ip) === 0 ? undefined : ip
}

function isAllowed({ host, hostname }: URL, privateHosts: readonly string[]): boolean {
  return privateHosts.includes(host) || privateHosts.includes(hostname)
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/')
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}
