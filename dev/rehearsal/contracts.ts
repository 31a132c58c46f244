import { path, startGroup } from './group.ts'

/**
 * `oasdiff breaking OLD NEW [--fail-on ERR]`: the real one where it is installed; else what is removed is breaking.
 *
 * @returns its exit status
 */
export async function breaking(args: string[], print: (text: string) => void): Promise<number> {
  const status = await startGroup(['oasdiff', ...args], { cwd: '.', env: { PATH: path }, write: print }).exit
  if (status !== 127) return status

  const [, before = '', after = '', ...flags] = args
  const now = await operations(after)
  const removed = (await operations(before)).filter((operation) => !now.includes(operation))
  print([`${removed.length} operations removed`, ...removed, ''].join('\n'))
  return removed.length > 0 && flags.join(' ') === '--fail-on ERR' ? 1 : 0
}

async function operations(url: string): Promise<string[]> {
  const { paths } = (await (await fetch(url)).json()) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
}
