import { z } from 'zod'
import { path, startGroup } from './group.ts'

const document = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })

/**
 * `oasdiff breaking OLD NEW [--fail-on ERR]`: the real one where it is installed; else what is removed is breaking.
 *
 * @returns its exit status
 */
export async function breaking(args: string[], print: (text: string) => void): Promise<number> {
  const real = startGroup(['oasdiff', ...args], { cwd: '.', env: { PATH: path }, write: print })
  const status = await real.exit
  if (status !== 127) return status

  const [, before = '', after = '', ...flags] = args
  const [old, now] = await Promise.all([operations(before), operations(after)])
  const removed = old.filter((operation) => !now.includes(operation))
  print(`${removed.length} operations removed${removed.map((operation) => `\n  ${operation}`).join('')}\n`)
  return removed.length > 0 && flags.join(' ') === '--fail-on ERR' ? 1 : 0
}

async function operations(url: string): Promise<string[]> {
  const { paths } = document.parse(await (await fetch(url)).json())
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
}
