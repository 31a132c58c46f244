import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../../dev/machine/ports.ts'
import { onPath } from '../../test/support/on-path.ts'
import { folders } from '../harness/contestants.ts'
import { onAllCores } from '../harness/machine.ts'
import { progress } from '../harness/progress.ts'
import type { Row } from '../harness/result.ts'
import type { Section } from '../harness/section.ts'

type Times = Map<string, number[]>

/** What a person waits for. Each command runs in a clone of the last commit, on all processors. */
export const tools: Section = {
  name: 'tools',
  title: 'Tools: what a person waits for',
  onlyByName: true,
  async run(bench) {
    const before = process.env.BENCH_BEFORE
    const sides = [
      { label: 'service', folder: cloneAt('HEAD'), times: new Map() as Times },
      ...(before ? [{ label: 'service, before', folder: cloneAt(before), times: new Map() as Times }] : []),
    ]
    const failures: string[] = []
    const commands = [
      ...['npm ci', 'npm ci', 'npm ci', 'npm run check', 'npm run check', 'npm run check'],
      ...(bench.quick ? [] : ['npm test']),
    ]
    try {
      for (const command of commands) {
        for (const { label, folder, times } of sides) {
          progress(`tools: ${command}, ${label}`)
          try {
            note(times, command, time(folder, command))
          } catch (error) {
            console.error(error instanceof Error ? error.message : error)
            failures.push(`${command} failed (${label})`)
          }
        }
      }
      for (const { label, folder, times } of sides) {
        progress(`tools: restart on change, ${label}`)
        for (const seconds of await restarts(folder, bench.quick ? 3 : 7)) note(times, 'restart', seconds)
      }
    } finally {
      for (const { folder } of sides) rmSync(folder, { recursive: true, force: true })
    }
    const programs = ['chromium', 'gcloud'].map((name) => `${name} is ${onPath(name) ? '' : 'not '}installed`)
    const notes = [
      before
        ? `“Before” is ${before}.`
        : 'BENCH_BEFORE=COMMIT measures that commit as well, to compare with.',
      `npm test runs more where it finds them: ${programs.join(', ')}.`,
    ]
    const rows = sides.map(({ label, times }): Row => {
      const metrics = Array.from(times, ([name, values]) => ({
        name,
        unit: 's',
        better: 'lower' as const,
        values,
      }))
      return { work: 'tools', contestant: label, metrics }
    })
    return { section: 'tools', notes, rows, ...(failures.length > 0 && { failure: failures.join('; ') }) }
  },
}

function cloneAt(commit: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-tools-'))
  for (const args of [
    ['clone', '--quiet', folders.repository, folder],
    ['-C', folder, 'checkout', '--quiet', commit],
  ]) {
    const { status, stderr } = spawnSync('git', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`git ${args.join(' ')} failed: ${stderr}`)
  }
  return folder
}

/** @returns seconds. @throws {Error} if the command fails: its time would mean nothing */
function time(cwd: string, command: string): number {
  const [program, args] = onAllCores('npm', command.split(' ').slice(1))
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 })
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(`${command} failed in ${cwd}:\n${`${stdout}${stderr}`.slice(-3_000)}`)
  return seconds
}

/** From a change of a source until the service listens again, in seconds. */
async function restarts(cwd: string, count: number): Promise<number[]> {
  const env = { ...process.env, PORT: String(await freePort()), DATA_DIR: join(cwd, '.data-bench') }
  const [program, args] = onAllCores('npm', ['run', 'dev', '--', '--json'])
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  try {
    const seconds: number[] = []
    await listening(child, lines)
    for (let change = 0; change <= count; change++) {
      const again = listening(child, lines)
      const started = performance.now()
      appendFileSync(join(cwd, 'src/orders/schemas.ts'), `// change ${change}\n`)
      await again
      if (change > 0) seconds.push((performance.now() - started) / 1000) // the first fills caches
    }
    return seconds
  } finally {
    child.kill('SIGTERM')
    await exit
  }
}

function listening(child: ChildProcess, lines: ReturnType<typeof createInterface>): Promise<void> {
  return new Promise((resolve, reject) => {
    const see = (line: string) => {
      if (!line.includes('Listening on port')) return
      lines.off('line', see)
      resolve()
    }
    lines.on('line', see)
    child.once('exit', (status) => reject(new Error(`npm run dev ended with ${status}`)))
  })
}

function note(times: Times, name: string, seconds: number): void {
  times.set(name, [...(times.get(name) ?? []), seconds])
}
