import { setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { listOf } from './texts.ts'

// Runs in its own thread, so that the senders of large requests do not delay it. It sends a small request every 50 ms, also
// if the last one has no response yet, until the main thread stops it. Then it reports how long each request took, in
// milliseconds, and how many failed.

const { url } = workerData as { url: string }
const body = listOf('"a"', 1000)
const took: number[] = []
let failed = 0
let isOver = false

async function send(path: string, init: RequestInit): Promise<void> {
  const started = performance.now()
  const response = await fetch(url + path, init).catch(() => undefined)
  await response?.bytes().catch(() => {})
  took.push(performance.now() - started)
  if (response?.status !== 200) failed++
}

parentPort?.once('message', () => {
  isOver = true
})
const all: Promise<void>[] = []
for (let at = 0; !isOver; at++) {
  const isPost = at % 2 === 1
  const post = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }
  all.push(isPost ? send('/texts', post) : send('/ping', {}))
  await setTimeout(50)
}
await Promise.all(all)
parentPort?.postMessage({ took, failed })
