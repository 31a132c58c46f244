import { Socket } from 'node:net'
import { untracked } from './track.ts'

const loopback = new Set(['localhost', '127.0.0.1', '::1', '[::1]', ''])
const addresses = new Set<string>()
const connect = Socket.prototype.connect

/**
 * Lets a request leave sockets to a database open: they belong to the pool, whichever request opened them.
 *
 * @param url a PostgreSQL URL, with a host and port or with the folder of a unix socket in `?host=`
 */
export function exemptDatabase(url: string): void {
  const parsed = URL.parse(url.replace('@/', '@localhost/'))
  if (!parsed) return // the service will say so
  const { hostname, port, searchParams } = parsed
  exempt(address(searchParams.get('host') ?? decodeURIComponent(hostname), port || 5432))
}

function exempt(to: string): void {
  addresses.add(to)
  Socket.prototype.connect = connectUnlessExempt as typeof connect
}

function connectUnlessExempt(this: Socket, ...args: unknown[]): Socket {
  // (port, host), (path) or ({ host, port, path }), or one of these in an array
  const [first, host] = Array.isArray(args[0]) ? args[0] : args
  const target = typeof first === 'object' ? first : Number(first) ? { port: first, host } : { path: first }
  const to = target.path ? String(target.path) : address(target.host ?? '', target.port)
  const go = () => Reflect.apply(connect, this, args)
  return addresses.has(to) ? untracked(go) : go()
}

function address(host: string, port: unknown): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}`
  return `${loopback.has(host) ? 'localhost' : host}:${port}`
}
