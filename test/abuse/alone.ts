import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Input } from './inputs.ts'
import type { Served } from './served.ts'
import { sendAtOnce } from './storms.ts'

/** What one input cost, by itself. */
export interface Cost {
  readonly statuses: Record<string, number>
  /** Of all responses. */
  readonly bytes: number
  /** From the request to the end of its response. */
  readonly ms: number
  /** CPU time for which one request held the event loop: the longest turn's, or of many at once the mean. */
  readonly heldMs: number
  /** CPU time of what it is measured against. */
  readonly referenceMs: number | undefined
}

/** Times before anything is measured, since a service is warm; and those of which the median counts. */
const [warmings, times] = [4, 9]

/** A process of the same kind that tells what JSON.parse and the schemas alone take. */
export interface References {
  /** Makes what times the reference of an input: CPU time in milliseconds, once each. */
  of(input: Input): Promise<(() => Promise<number>) | undefined>
  stop(): void
}

/** @param folder for the texts */
export function startReferences(folder: string, flags: readonly string[]): References {
  const child = fork(new URL('reference.ts', import.meta.url), { execArgv: [...flags] })
  const file = join(folder, 'reference.json')
  return {
    async of({ reference, body = '' }) {
      if (!reference) return undefined
      await writeFile(file, reference.right ?? body)
      return async () => {
        child.send({ kind: reference.kind, file })
        return (await once(child, 'message'))[0] as number
      }
    },
    stop: () => child.kill(),
  }
}

/** Sends an input again and again, and its reference in turns with it, so that both meet the same noise. */
export async function costOf(served: Served, references: References, input: Input): Promise<Cost> {
  const [held, taken, referred]: [number[], number[], number[]] = [[], [], []]
  const timeReference = await references.of(input)
  const clients = input.clients ?? 1
  let [statuses, bytes]: [Record<string, number>, number] = [{}, 0]
  for (let time = clients > 1 ? 0 : -warmings; time < (clients > 1 ? 3 : times); time++) {
    const started = performance.now()
    const turns = await served.watch(async () => {
      ;({ statuses, bytes } = await sendAtOnce(served.url, input))
    })
    const ms = performance.now() - started
    const reference = await timeReference?.()
    if (time < 0) continue
    taken.push(ms)
    held.push(clients > 1 ? turns.sumMs / clients : turns.longestMs)
    if (reference !== undefined) referred.push(reference)
  }
  const referenceMs = timeReference && median(referred)
  return { statuses, bytes, ms: median(taken), heldMs: median(held), referenceMs }
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0
}
