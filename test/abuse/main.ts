import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { bundle } from '../../bundle.ts'
import { type Input, inputs } from './inputs.ts'
import { type Measured, type Served, startServed } from './served.ts'
import { type Outcome, sendAtOnce, slow, storm } from './storms.ts'

// `npm run abuse -- --seconds 10`: sends the costly inputs to the bundle, one after another, then by 80 clients at once;
// prints what each took. With `--url http://…`, only the second part, at a server that serves test/abuse/routes.ts. The
// status is 1 where a bound is broken: the process ended, its memory grew beyond 1 GiB, a small request was not served. A
// `!` marks what held the event loop for more than three times what JSON.parse and its schema take for as many bytes.

const { values } = parseArgs({ options: { seconds: { type: 'string' }, url: { type: 'string' } } })
const seconds = Number(values.seconds ?? 5)
/** Those of the image; and the heap that Node lets grow in a container of 1 GiB. */
const flags = ['--min-semi-space-size=16', '--max-semi-space-size=16', '--max-old-space-size=512']
const memory = 1024 ** 3
/** Bytes of a problem: a response to what is refused may not be larger. */
const largestProblem = 64 * 1024
/** Above it a request holds the event loop for too long, where it holds it for more than a moment. */
const worstRatio = 3
const momentMs = 10

const say = (line: string) => process.stdout.write(`${line}\n`)
const broken: string[] = []
const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)}`
const run = promisify(execFile)

const folder = await mkdtemp(join(tmpdir(), 'abuse-'))
try {
  if (values.url) await storms(values.url)
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
  say(
    `${'input'.padEnd(36)}status${row(['ms', 'bytes out', 'loop ms', 'ref. ms', 'ratio', 'RSS MiB', 'after', 'peak'])}`,
  )
  for (const input of inputs) {
    say(await cost(served, input))
    if (served.child.exitCode !== null) served = await startServed(file, flags)
  }
  await served.stop()
  served = await startServed(file, flags)
  await storms(served.url, served)
  await served.stop()
}

/** Sends an input five times: a line of what it took, the median of each. */
async function cost(served: Served, input: Input): Promise<string> {
  const before = await served.measure()
  const runs: ({ statuses: Record<string, number>; bytes: number; ms: number } & Measured)[] = []
  for (let time = 0; time < (input.clients ? 1 : 5); time++) {
    await served.measure()
    const started = performance.now()
    const { statuses, bytes } = await sendAtOnce(served.url, input)
    const ms = performance.now() - started
    runs.push({ statuses, bytes, ms, ...(await served.measure()) })
  }
  const middle = (of: 'ms' | 'longestMs') =>
    runs.map((one) => one[of]).toSorted((a, b) => a - b)[runs.length >> 1] ?? 0
  const last = runs.at(-1)
  const statuses = Object.entries(last?.statuses ?? {})
  const reference = input.reference && (await timeOf(input))
  const ratio = reference && middle('longestMs') / reference
  const tooLong = ratio && ratio > worstRatio && middle('longestMs') > momentMs
  const refused = statuses.every(([status]) => Number(status) >= 400)
  const bytes = last?.bytes ?? 0
  if (refused && bytes > largestProblem * (input.clients ?? 1))
    broken.push(`${input.name}: a problem of ${bytes} bytes`)
  if (statuses.some(([status]) => status === '500' || status === 'cut'))
    broken.push(`${input.name}: ${statuses}`)
  const after = last?.rss ?? 0
  if ((last?.peakRss ?? 0) > memory)
    broken.push(`${input.name}: the memory came to ${mib(last?.peakRss ?? 0)} MiB`)
  const figures = [
    ...[middle('ms').toFixed(0), String(bytes), middle('longestMs').toFixed(1), reference?.toFixed(1) ?? ''],
    ...[
      ratio ? `${ratio.toFixed(1)}${tooLong ? '!' : ''}` : '',
      mib(before.rss),
      mib(after),
      mib(last?.peakRss ?? 0),
    ],
  ]
  return `${input.name.padEnd(36)}${statuses
    .map(([status, count]) => (count > 1 ? `${count}×${status}` : status))
    .join(' ')
    .padEnd(6)}${row(figures)}`
}

/** What JSON.parse and the schema take for as many bytes, in a process of the same kind: milliseconds. */
async function timeOf({ reference, body = '' }: Input): Promise<number> {
  if (!reference) return 0
  const file = join(folder, 'reference.json')
  const valid = reference.text ?? body
  await writeFile(file, valid)
  const script = new URL('reference.ts', import.meta.url).pathname
  const { stdout } = await run(process.execPath, [...flags, script, reference.kind, file])
  return Number(stdout)
}

async function storms(url: string, served?: Served): Promise<void> {
  const large = inputs.filter(({ body, reference }) => body && reference)
  const kinds: [name: string, outcome: () => Promise<Outcome>][] = [
    ...large.map((input): (typeof kinds)[0] => [input.name, () => storm(url, [input], seconds)]),
    ['pages of 5 MB', () => storm(url, [{ name: 'page', path: '/page' }], seconds)],
    ['texts of 5 MB', () => storm(url, [{ name: 'text', path: '/text' }], seconds)],
    [
      'pages of 5 MB, gzip',
      () => storm(url, [{ name: 'page', path: '/page', headers: { 'Accept-Encoding': 'gzip' } }], seconds),
    ],
    ['clients that never read', () => slow(url, 'readers', seconds)],
    ['clients that send byte by byte', () => slow(url, 'senders', seconds)],
    [
      'all of them',
      () =>
        storm(url, [...large, { name: 'page', path: '/page' }, { name: 'text', path: '/text' }], 4 * seconds),
    ],
  ]
  say(`\n${'80 clients at once'.padEnd(36)}small requests: sent, failed, longest ms; RSS MiB, peak`)
  for (const [name, run] of kinds) {
    const { statuses, withoutRetryAfter, small } = await run()
    const measured = served?.child.exitCode === null ? await served.measure() : undefined
    if (served && !measured) broken.push(`${name}: the process ended`)
    if (small.failed > 0) broken.push(`${name}: ${small.failed} small requests were not served`)
    if (withoutRetryAfter > 0)
      broken.push(`${name}: ${withoutRetryAfter} responses say not when to come back`)
    if (statuses['500'] || statuses.cut) broken.push(`${name}: ${JSON.stringify(statuses)}`)
    if (measured && measured.peakRss > memory)
      broken.push(`${name}: the memory came to ${mib(measured.peakRss)} MiB`)
    const figures = [String(small.sent), String(small.failed), small.longestMs.toFixed(0)]
    const rss = measured ? [mib(measured.rss), mib(measured.peakRss)] : []
    say(`${name.padEnd(36)}${row([...figures, ...rss])}  ${JSON.stringify(statuses)}`)
    if (served && !measured) return
  }
}

function row(figures: readonly string[]): string {
  return figures.map((figure) => figure.padStart(10)).join('')
}
