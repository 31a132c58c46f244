import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { folders } from './contestants.ts'
import { machine } from './machine.ts'
import { type HttpRequest, sized } from './send.ts'

/** What a load has seen. */
export interface Load {
  readonly requests: number
  readonly seconds: number
  /** Responses of 400 and above. */
  readonly refused: number
  /** Connections that failed, and requests without a response. */
  readonly broken: number
}

const run = promisify(execFile)

/**
 * Sends requests over a fixed number of connections, each as soon as the one before has its response: as many as the server
 * can take. Another process sends them, on another processor.
 *
 * @param requests are sent in turn
 */
export async function saturate(
  port: number,
  requests: readonly HttpRequest[],
  options: { seconds: number; connections: number },
): Promise<Load> {
  const load = machine.wrk ? byWrk : byAutocannon
  const result = await load(port, requests, options)
  // a busy machine may give the load no time at all
  return result.requests > 0 ? result : load(port, requests, { ...options, seconds: options.seconds * 5 })
}

type Options = Parameters<typeof saturate>[2]

async function byWrk(
  port: number,
  requests: readonly HttpRequest[],
  { seconds, connections }: Options,
): Promise<Load> {
  mkdirSync(folders.build, { recursive: true })
  const script = join(folders.build, 'requests.lua')
  writeFileSync(script, luaOf(requests))
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '20s',
    '-s',
    script,
    `http://127.0.0.1:${port}/`,
  ]
  const { stdout } = await run('wrk', args)
  const [, sent, us, refused, broken] = /^bench (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout) ?? []
  if (sent === undefined) throw new Error(`wrk printed no result:\n${stdout}`)
  return {
    requests: Number(sent),
    seconds: Number(us) / 1e6,
    refused: Number(refused),
    broken: Number(broken),
  }
}

/** The requests as they go over the wire, and a last line for us. */
function luaOf(requests: readonly HttpRequest[]): string {
  return `local raw = { ${requests.map((request) => quote(wireOf(request))).join(',\n')} }
local turn = 0
request = function()
  turn = turn % #raw + 1
  return raw[turn]
end
done = function(summary)
  local e = summary.errors
  io.write(string.format("bench %d %d %d %d\\n", summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout))
end
`
}

function wireOf({ method, path, headers, body }: HttpRequest): string {
  const lines = Object.entries(sized({ host: '127.0.0.1', ...headers }, body)).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return [`${method} ${path} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n')
}

/** Text as Lua reads it: each byte that could mean something else by its number. */
function quote(text: string): string {
  const escaped = text.replaceAll(/[^ !#-[\]-~]/g, (character) =>
    [...Buffer.from(character)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join(''),
  )
  return `"${escaped}"`
}

async function byAutocannon(port: number, requests: readonly HttpRequest[], options: Options): Promise<Load> {
  const program = fileURLToPath(import.meta.resolve('autocannon'))
  const script = join(folders.build, 'autocannon.cjs')
  mkdirSync(folders.build, { recursive: true })
  const given = {
    url: `http://127.0.0.1:${port}`,
    duration: options.seconds,
    connections: options.connections,
    requests,
  }
  writeFileSync(
    script,
    `require(${JSON.stringify(program)})(${JSON.stringify(given)}).then((result) => console.log(JSON.stringify(result)))`,
  )
  const { stdout } = await run(process.execPath, [script], { maxBuffer: 1e8 })
  const result = JSON.parse(stdout)
  return {
    requests: result.requests.total,
    seconds: result.duration,
    refused: result['4xx'] + result['5xx'],
    broken: result.errors + result.timeouts,
  }
}
