import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { captureOrigin, isNodesOwn, type Origin, shorten, stackOf } from './origin.ts'

/** Something that is still alive. `request` is the one that started it, if any did. */
export interface Leftover {
  readonly type: string
  readonly stack: string
  readonly request?: string
}

/** A request that may start timers, sockets and the like. */
export interface RequestRecord {
  readonly label: string
  /** Called when it starts something. */
  onStart?: (() => void) | undefined
}

interface Resource {
  type: string
  origin: Origin
  record: RequestRecord | undefined
}

const timers = new Set(['Timeout', 'Immediate'])
/** Not TLSWRAP, which is there until its memory is collected: the socket below it is listed. */
const handles = new Set([
  ...['TCPWRAP', 'TCPSERVERWRAP', 'PIPEWRAP', 'PIPESERVERWRAP', 'UDPWRAP', 'HTTPCLIENTREQUEST'],
  ...['PROCESSWRAP', 'WORKER', 'FSEVENTWRAP', 'STATWATCHER'],
])

const current = new AsyncLocalStorage<RequestRecord | undefined>()
const alive = new Map<number, Resource>()
let waiting = false
const later = setTimeout // a test may replace the timers

const hook = createHook({
  init: function init(id, type) {
    const record = current.getStore()
    if (waiting || !(timers.has(type) || (record && handles.has(type)))) return
    const origin = captureOrigin(init)
    alive.set(id, { type, origin, record })
    if (record?.onStart && !isNodesOwn(stackOf(origin))) record.onStart()
  },
  destroy: (id) => alive.delete(id),
  trackPromises: false,
})

/** Starts to watch this process. Before that, it costs nothing. */
export function startTracking(): void {
  hook.enable()
}

/** Runs `fn`. Everything that it starts, now or later, is recorded as started by the request. */
export function trackRequest<Result>(label: string, fn: () => Result) {
  startTracking()
  const record: RequestRecord = { label }
  return { record, result: current.run(record, fn) }
}

/** Records everything that the rest of this call stack starts, now or later, as started by the request. */
export function enterRequest(label: string): RequestRecord {
  const record: RequestRecord = { label }
  current.enterWith(record)
  return record
}

/** Runs `fn`. What it starts belongs to no request, and neither does what that starts. */
export function untracked<Result>(fn: () => Result): Result {
  return current.run(undefined, fn)
}

/** What a request has started that is still alive after a few turns of the event loop. */
export async function leftovers(record: RequestRecord): Promise<Leftover[]> {
  await waitForEnds()
  return listAlive((resource) => resource.record === record)
}

/** What any request has started that is still alive, and every timer of the process except Node's own. */
export async function idleLeftovers(): Promise<Leftover[]> {
  await waitForEnds()
  return listAlive(({ record, type }) => record !== undefined || timers.has(type))
}

function listAlive(wanted: (resource: Resource) => boolean): Leftover[] {
  const listed = [...alive.values()].filter(
    (resource) => wanted(resource) && !isNodesOwn(stackOf(resource.origin)),
  )
  return listed.map(({ type, origin, record }) => {
    return { type, stack: shorten(stackOf(origin)), ...(record && { request: record.label }) }
  })
}

/**
 * Waits for a few turns of the event loop: only then is a closed socket or a cleared timer known to have ended. At last it
 * waits three times for a timer of 1 ms. So a timer of 0 ms, and one that such a timer sets, have ended too.
 */
async function waitForEnds(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await unwatched((resolve) => setImmediate(resolve))
  for (let turn = 0; turn < 3; turn++) await unwatched((resolve) => later(resolve, 1))
}

/** Calls `fn` after some milliseconds. Its timer is not recorded, and does not keep the process alive. */
export function afterwards(milliseconds: number, fn: () => void): void {
  waiting = true
  later(fn, milliseconds).unref()
  waiting = false
}

function unwatched(start: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    waiting = true
    start(resolve)
    waiting = false
  })
}
