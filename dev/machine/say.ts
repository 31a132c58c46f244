import { styleText } from 'node:util'

let open = false

/** Prints a line of ours, or of the service. */
export function say(line: string): void {
  process.stdout.write(`${open ? '\n' : ''}${line}\n`)
  open = false
}

/** Prints what is being done, and then how long it took. */
export async function step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const start = performance.now()
  process.stdout.write(`${dim(name)} … `)
  open = true
  const result = await work()
  const time = `${seconds(start)} s`
  process.stdout.write(open ? `${time}\n` : `${dim(name)} … ${time}\n`)
  open = false
  return result
}

/** The seconds since `start`, of `performance.now()`, with one decimal. */
export function seconds(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1)
}

function dim(text: string): string {
  return styleText('dim', text, { stream: process.stdout })
}

/** Whether the standard output shows colours: it is a terminal, and NO_COLOR is not set. */
export function hasColours(): boolean {
  return dim('x') !== 'x'
}
