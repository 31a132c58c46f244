import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from '../../bundle.ts'
import { type Cost, costOf, startReferences } from './alone.ts'
import { type Input, inputs } from './inputs.ts'
import { whileSampled } from './resident.ts'
import { type Served, startServed } from './served.ts'
import { type Outcome, slow, storm } from './storms.ts'

// `npm run abuse -- --seconds 5`: sends the costly inputs to the bundle, one after another, then by 80 clients at once, and
// prints what each took. `--only TEXT` sends the inputs whose name has this text, one after another. `--url http://… --pid
// 123` sends the second part to a server that serves test/abuse/routes.ts, and looks at the memory of that process.
//
// The status is 1 where a bound is broken: a request held the event loop for more than three times what JSON.parse and its
// schema take for as many bytes; a problem had more than 64 KiB; the process ended, or its memory grew beyond 1 GiB; a
// small request was not served; a 503 did not say when to come back.
//
// What held the loop for less than `momentMs` is `short`, and not compared: JSON.parse takes 0.5 ms for 1 MiB of blanks or
// of one text, while receiving 1 MiB, whatever it holds, and answering takes 3 to 4 ms without a look at it. A collection
// of garbage takes as long. Nobody who waits for a network notices it.

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    url: { type: 'string' },
    pid: { type: 'string' },
    only: { type: 'string' },
  },
})
const seconds = Number(values.seconds ?? 5)
/** Those of the image; and the heap that Node lets grow in a container of 1 GiB. */
const flags = ['--min-semi-space-size=16', '--max-semi-space-size=16', '--max-old-space-size=512']
const memory = 1024 ** 3
const largestProblem = 64 * 1024
const worstRatio = 3
const momentMs = 10

const say = (line: string) => process.stdout.write(`${line}\n`)
const broken: string[] = []
const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)}`

const folder = await mkdtemp(join(tmpdir(), 'abuse-'))
try {
  if (values.url) await storms(values.url, Number(values.pid) || undefined)
  else await all()
} finally {
  await rm(folder, { recursive: true })
}
for (const what of broken) say(`BROKEN: ${what}`)
if (broken.length > 0) process.exitCode = 1

async function all(): Promise<void> {
  await bundle({ abuse: 'test/abuse/abuse-service.ts' }, folder)
  const file = join(folder, 'abuse.js')
  let served = await startServed(file, flags)
  const references = startReferences(folder, flags)
  say(`${'one after another'.padEnd(36)}status${row(['ms', 'bytes out', 'held ms', 'ref. ms', 'ratio'])}`)
  for (const input of inputs.filter(({ name }) => name.includes(values.only ?? ''))) {
    say(rowOf(input, await costOf(served, references, input)))
    if (served.child.exitCode !== null) served = await startServed(file, flags)
  }
  references.stop()
  await served.stop()
  if (values.only) return
  served = await startServed(file, flags)
  await storms(served.url, served.child.pid, served)
  await served.stop()
}

function rowOf(input: Input, { statuses, bytes, ms, heldMs, referenceMs }: Cost): string {
  const all = Object.entries(statuses)
  const ratio = referenceMs && heldMs / referenceMs
  const isShort = heldMs < momentMs
  if (ratio && ratio > worstRatio && !isShort)
    broken.push(`${input.name}: held the loop for ${ratio.toFixed(1)} times what it may be compared with`)
  if (all.every(([status]) => Number(status) >= 400) && bytes > largestProblem * (input.clients ?? 1))
    broken.push(`${input.name}: a problem of ${bytes} bytes`)
  if (statuses['500'] || statuses.cut) broken.push(`${input.name}: ${JSON.stringify(statuses)}`)
  const shown = all.map(([status, count]) => (count > 1 ? `${count}×${status}` : status)).join(' ')
  const compared = referenceMs ? [referenceMs.toFixed(1), isShort ? 'short' : (ratio?.toFixed(1) ?? '')] : []
  return `${input.name.padEnd(36)}${shown.padEnd(6)}${row([ms.toFixed(0), String(bytes), heldMs.toFixed(1), ...compared])}`
}

async function storms(url: string, pid: number | undefined, served?: Served): Promise<void> {
  const large = inputs.filter(({ body, reference, clients }) => body && reference && !clients)
  const page = { name: 'page', path: '/page' }
  const text = { name: 'text', path: '/text' }
  const zipped = { ...page, headers: { 'Accept-Encoding': 'gzip' } }
  const kinds: [name: string, outcome: () => Promise<Outcome>][] = [
    ...large
      .filter(({ inStorm }) => inStorm)
      .map((input): (typeof kinds)[0] => [input.name, () => storm(url, [input], seconds)]),
    ['pages of 5 MB', () => storm(url, [page], seconds)],
    ['texts of 5 MB', () => storm(url, [text], seconds)],
    ['pages of 5 MB, gzip', () => storm(url, [zipped], seconds)],
    ['clients that never read', () => slow(url, 'readers', seconds)],
    ['clients that send byte by byte', () => slow(url, 'senders', seconds)],
    ['all of them', () => storm(url, [...large, page, text, zipped], 6 * seconds)],
  ]
  say(
    `\n${'80 clients at once'.padEnd(36)}${row(['ms each', 'small', 'failed', 'p50 ms', 'p99 ms', 'longest'])}${row(['RSS MiB', 'peak'])}`,
  )
  for (const [name, run] of kinds) {
    const started = performance.now()
    const { result, peak, rss } = await whileSampled(pid, run)
    const { statuses, withoutRetryAfter, small } = result
    const count = Object.values(statuses).reduce((sum, each) => sum + each, 0)
    const each = (performance.now() - started) / count
    const hasEnded = served ? served.child.exitCode !== null : rss === 0 && pid !== undefined
    if (hasEnded) broken.push(`${name}: the process ended`)
    if (small.failed > 0) broken.push(`${name}: ${small.failed} small requests were not served`)
    if (withoutRetryAfter > 0)
      broken.push(`${name}: ${withoutRetryAfter} responses say not when to come back`)
    if (statuses['500'] || statuses.cut) broken.push(`${name}: ${JSON.stringify(statuses)}`)
    if (peak > memory) broken.push(`${name}: the memory came to ${mib(peak)} MiB`)
    const { sent, failed, p50Ms, p99Ms, longestMs } = small
    const figures = [p50Ms, p99Ms, longestMs].map((ms) => ms.toFixed(0))
    say(
      `${name.padEnd(36)}${row([each.toFixed(1), String(sent), String(failed), ...figures, mib(rss), mib(peak)])}  ${JSON.stringify(statuses)}`,
    )
    if (hasEnded) return
  }
}

function row(figures: readonly string[]): string {
  return figures.map((figure) => figure.padStart(10)).join('')
}
