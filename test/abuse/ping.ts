import { setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { listOf } from './texts.ts'

// A thread of its own, which is not held up by those who send large requests: sends a small one every 50 ms, whether or
// not the last was answered, until it is told to stop; then tells how long each took, in milliseconds, and how many failed.

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
