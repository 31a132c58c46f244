import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const { PATH = '', HOME = '' } = process.env

/** Whether Google's own CLI is on this machine. */
export const gcloudIsInstalled = PATH.split(delimiter).some((folder) => existsSync(join(folder, 'gcloud')))

/**
 * Runs the real CLI, offline and without an account: with a configuration of its own, which goes with it.
 *
 * @returns what it prints
 * @throws with what it says on stderr, if it fails
 */
export async function runGcloud(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'runway-gcloud-'))
  const settings = {
    CLOUDSDK_CONFIG: folder,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
  }
  const env = { PATH, HOME, ...settings, ...environment }
  try {
    return (await promisify(execFile)('gcloud', args, { env, maxBuffer: 2 ** 28 })).stdout
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** `commandLine(['run', 'deploy'])` is `gcloud run deploy`, as a shell would read it. */
export function commandLine(args: readonly string[]): string {
  const quote = (arg: string) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'"'"'`)}'`)
  return ['gcloud', ...args.map(quote)].join(' ')
}

/** Since which version of gcloud a command, or a flag of it, is known. */
const news: readonly (readonly [pattern: RegExp, version: number])[] = [
  [/ run deploy .*--max /, 540],
  [/ beta run deploy .*--dry-run/, 575],
  [/^gcloud monitoring policies /, 549],
  [/ sql instances execute-sql /, 560],
  [/ sql instances create .*--(data-api-access|storage-auto-increase-limit) /, 576],
]

/** Such as 578. */
export async function gcloudVersion(): Promise<number> {
  return Number.parseInt(/Google Cloud SDK (\d+)/.exec(await runGcloud(['version']))?.[1] ?? '', 10)
}

/** Tells the commands that the installed gcloud can judge from those that it is too old for. */
export async function judgeable(commands: readonly string[]) {
  const version = await gcloudVersion()
  const isNew = (command: string) => news.some(([pattern, since]) => version < since && pattern.test(command))
  return { version, known: commands.filter((command) => !isNew(command)), leftOut: commands.filter(isNew) }
}

/**
 * Asks the real CLI's parser for its opinion of commands, all in one process: some 0.1 s a command. It is strict about
 * commands, flags and the kinds of their values, and does not look at whether what they name exists.
 *
 * @param commands each on one line, beginning with `gcloud `; what is no flag comes before the flags, since this parser
 *   takes what follows a flag for its value
 * @returns those that it refuses, each with its reason
 */
export async function refusals(commands: readonly string[]): Promise<string[]> {
  const asked = [...new Set(commands)]
  const folder = await mkdtemp(join(tmpdir(), 'runway-gcloud-'))
  const file = join(folder, 'commands.json')
  try {
    await writeFile(file, JSON.stringify(asked.map((command_string) => ({ command_string }))))
    const lint = ['meta', 'lint-gcloud-commands', '--serialize', `--commands-file=${file}`]
    const verdicts: Record<string, Verdict[]> = JSON.parse(await runGcloud(lint))
    return asked.flatMap((command, index) => {
      const [verdict] = verdicts[index] ?? []
      if (verdict?.success) return []
      const [reason] = (verdict?.error_message ?? 'gcloud does not say why').split('To search the help')
      return [`${command}\n  ${reason?.replaceAll(/\s+/g, ' ').trim()}`]
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Verdict {
  readonly success: boolean
  readonly error_message: string | null
}
