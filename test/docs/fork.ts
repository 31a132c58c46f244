import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { expect, inject } from 'vitest'
import { freePort } from '#dev/machine/ports.ts'
import { atEnd, type WorkingCopy, workingCopy } from '#test/kit'
import { onServer } from '#test/support/database.ts'
import type { Block } from '#test/support/pages.ts'
import { type SpawnedProcess, spawnProgram } from '#test/support/process.ts'
import { descendants } from '#test/support/processes.ts'
import { bodyOf, kindOf, pathOf, putInto, readNote } from './notes.ts'

/** A fork in which a reader does what the pages say. */
export interface Fork extends WorkingCopy {
  /** `npm run dev`, once a page has started it. */
  readonly dev: { readonly lines: readonly string[]; readonly databaseUrl: string; readonly emulator: string }
  /** Does what a block says. Returns what it printed. */
  follow(block: Block): Promise<string>
  /** Stops `npm run dev`. */
  stopDev(): Promise<void>
}

/**
 * In front of a reader's commands. `npm ci` has been run: node_modules are linked. `npm test` is the checks and the tests
 * that see what a fork has, which are run once, at the end: all tests are what runs this. A watch would never end. `curl -s`
 * says all the same that it had no connection.
 */
const shell = `
npm() {
  case "$*" in
    ci) ;;
    test) command npm run check && command npm run openapi:lint ;;
    'run test:watch '*) npx vitest run --project service "\${@:4}" ;;
    *) command npm "$@" ;;
  esac
}
curl() { command curl --show-error "$@"; }
export -f npm curl
export GIT_{AUTHOR,COMMITTER}_NAME=Reader GIT_{AUTHOR,COMMITTER}_EMAIL=reader@example.com
[ ! -f .git/variables ] || source .git/variables
trap 'export -p > .git/variables' EXIT
set -a
`

/** Makes a fork of this repository, as git would clone it. `npm run dev` listens on a free port there, in place of 8080. */
export async function makeFork(): Promise<Fork> {
  const copy = await workingCopy()
  const port = `${await freePort()}`
  const TEST_DATABASE_URL = inject('serverUrl') // what runs tests need not start a server
  await copy.run(
    `${shell} git add --all && git commit -qm Template && git branch -M main && git branch template`,
  )
  await write('.gitignore', (text) => `${text}test/fragments/\n`) // fragments are compiled, not linted
  let dev: SpawnedProcess | undefined

  const receiver = await freePort()
  const inFork = (text: string) =>
    text
      .replaceAll('localhost:8080', `localhost:${port}`)
      .replaceAll('localhost:9000', `localhost:${receiver}`)

  async function startDev(commands: string): Promise<string> {
    const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
    const env = { PATH, HOME: process.env.HOME ?? '', PORT: port }
    dev = spawnProgram('bash', ['-euc', `${shell}${commands}`], { cwd: copy.folder, env })
    atEnd(stopDev)
    await dev.line(/^curl /)
    return dev.lines.join('\n')
  }

  async function stopDev(): Promise<void> {
    const { child, exit } = dev ?? {}
    for (const { pid, command } of descendants(child?.pid ?? 0))
      if (/\bdev\/main\.ts$/.test(command)) process.kill(pid, 'SIGTERM')
    await exit
  }

  async function write(path: string, change: (text: string) => string): Promise<void> {
    const file = join(copy.folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, change(await readFile(file, 'utf8').catch(() => '')))
  }

  async function execute(statements: readonly string[]): Promise<string> {
    for (const statement of statements) await onServer(fork.dev.databaseUrl, statement)
    return ''
  }

  /** Runs commands again where the service was just starting again, since a file had changed. */
  async function runUntilUp(commands: string): Promise<string> {
    for (;;) {
      const output = await copy.run(commands, { TEST_DATABASE_URL }).catch((error: Error) => error)
      if (typeof output === 'string') return output
      if (!/curl: \((?:7|52|56)\)/.test(output.message)) throw output
    }
  }

  async function run(block: Block): Promise<string> {
    const { after, before, words } = readNote(block)
    if (after) await dev?.line(new RegExp(after.replaceAll(/[^\w ]/g, '\\$&')))
    const text = Object.entries(words).reduce(
      (filled, [word, value]) => filled.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), () => value),
      block.text,
    )
    if (kindOf(block) === 'statements') return execute([...before, text])
    const all = inFork([...before, text].join('\n'))
    return /^[^#]*\bnpm run dev$/m.test(text) ? startDev(all) : runUntilUp(`${shell}${all}`)
  }

  const fork: Fork = {
    ...copy,
    get dev() {
      const lines = dev?.lines ?? []
      const printed = (pattern: RegExp) => pattern.exec(lines.join('\n'))?.[1] ?? ''
      return {
        lines,
        databaseUrl: printed(/^ +Database +(postgres:\S+)/m),
        emulator: printed(/^ +Tasks +(http:\S+)$/m),
      }
    },
    stopDev,
    async follow(block) {
      const kind = kindOf(block)
      if (kind === 'file') await write(pathOf(block), () => block.text)
      if (kind === 'lines') await write(pathOf(block), (text) => putInto(text, bodyOf(block)))
      if (kind === 'fragment') await write(fragmentPath(block), () => fragment(block))
      if (kind !== 'commands' && kind !== 'statements') return ''
      const output = await run(block).catch((error) => {
        throw new Error(`${block.page}:${block.line} fails`, { cause: error })
      })
      expectPrinted(block, output)
      return output
    },
  }
  return fork
}

/** Expects what a page says that a block prints, in that order. */
function expectPrinted(block: Block, output: string): void {
  let rest = output
  for (const text of readNote(block).prints) {
    expect(rest, `${block.page}:${block.line} prints`).toContain(text)
    rest = rest.slice(rest.indexOf(text) + text.length)
  }
}

/** Where a fragment stands in the fork. */
export function fragmentPath({ page, line }: Block): string {
  return `test/fragments/${page.replace(/^.*\//, '').replace('.md', '')}-${line}.ts`
}

/** A fragment with what is around it. */
function fragment(block: Block): string {
  const { around = '' } = readNote(block)
  const whole = around.includes('BLOCK')
    ? around.replace('BLOCK', () => block.text)
    : `${around}\n${block.text}`
  return `${whole}\nexport {}\n`
}
