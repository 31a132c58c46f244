import { styleText } from 'node:util'

let open = false

/** Prints a line of our own, or of the service's. */
export function say(line: string): void {
  process.stdout.write(`${open ? '\n' : ''}${line}\n`)
  open = false
}

/** Says what is being done, and when it is done how long it took. */
export async function step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const began = performance.now()
  process.stdout.write(`${dim(name)} … `)
  open = true
  const result = await work()
  const time = `${seconds(began)} s`
  process.stdout.write(open ? `${time}\n` : `${dim(name)} … ${time}\n`)
  open = false
  return result
}

/** Since `began`, of `performance.now()`, with one decimal. */
export function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1)
}

function dim(text: string): string {
  return styleText('dim', text, { stream: process.stdout })
}
