import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'

/** Work whose statements are sent one at a time, when the test says so. */
export interface Fiber {
  readonly label: string
  /** Whether its process was killed: it says nothing more to anybody. */
  killed: boolean
  done: boolean
}

/** What comes of a statement that is held: it is sent; its process is killed before it, or right after it. */
type Fate = 'go' | 'die' | 'die after'

interface Held extends Fiber {
  /** Nothing of it is held. */
  free: boolean
  readonly parked: ((fate: Fate) => void)[]
  /** The server's processes that work on its statements. */
  readonly sent: Set<number>
  finished: Promise<void>
}

type Query = (...args: unknown[]) => Promise<unknown>

const current = new AsyncLocalStorage<Held>()
/** The real ones: the test stops the service's. */
const { setTimeout, clearTimeout } = globalThis
/** How long a statement takes before its connection is asked whether it waits for a lock, in milliseconds. */
const suspiciousMs = 20

export class KilledError extends Error {}

type Callback = (error: unknown, result?: unknown) => void
interface Statement {
  readonly text: string
  callback?: Callback
}

/** What a client is asked to send: a text, or an object with it. A query of `pg`'s own has its callback in it. */
function statementOf(args: readonly unknown[]) {
  const [first, last] = [args[0] as string | Statement, args.at(-1)]
  if (typeof first === 'string') return { text: first, callback: asCallback(last) }
  const query = first.callback && first
  return { text: first.text, query, callback: query?.callback ?? asCallback(last) }
}

const asCallback = (value: unknown) => (typeof value === 'function' ? (value as Callback) : undefined)

/** The fiber that the running code belongs to. */
export function currentFiber(): Fiber | undefined {
  return current.getStore()
}

/**
 * Holds each statement of a fiber until the test lets it go. So the order of statements is the test's, and a seed repeats it. A
 * statement that waits for a lock is left waiting, until the fiber that has the lock goes on.
 *
 * @param pool the connections of the service
 * @param blocked which of these server processes wait for a lock
 */
export function interleave(pool: pg.Pool, blocked: (pids: number[]) => Promise<number[]>) {
  const fibers = new Set<Held>()
  let waiting = new Set<number>()
  let changed = Promise.withResolvers<void>()

  function note(): void {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }

  pool.on('connect', (client) => {
    const send = client.query.bind(client) as unknown as Query
    const { processID: pid } = client as unknown as { processID: number }
    const held = (...args: unknown[]) => {
      const fiber = current.getStore()
      const { text, query, callback } = statementOf(args)
      if (!fiber || text === '' || text.startsWith('select pg_backend_pid')) return send(...args)
      if (!callback) return pass(fiber, pid, text, () => send(...args))
      const sent = pass(fiber, pid, text, () => {
        if (!query) return send(...args.slice(0, -1))
        const { promise, resolve, reject } = Promise.withResolvers<unknown>()
        query.callback = (error, result) => (error ? reject(error) : resolve(result))
        send(query)
        return promise
      })
      return void sent.then(
        (result) => callback(null, result),
        (error) => callback(error),
      )
    }
    client.query = held as typeof client.query
  })

  function park(fiber: Held): Promise<Fate> {
    const { promise, resolve } = Promise.withResolvers<Fate>()
    fiber.parked.push(resolve)
    note()
    return promise
  }

  async function pass(
    fiber: Held,
    pid: number,
    text: string,
    send: () => Promise<unknown>,
  ): Promise<unknown> {
    if (fiber.killed && text !== 'rollback') throw new KilledError('killed')
    const fate = fiber.free || fiber.killed ? 'go' : await park(fiber)
    if (fate === 'die') fiber.killed = true
    if (fiber.killed && text !== 'rollback') throw new KilledError('killed')
    fiber.sent.add(pid)
    try {
      const result = await send()
      if (fate === 'die after') fiber.killed = true
      if (fiber.killed && text !== 'rollback') throw new KilledError('killed')
      return result
    } finally {
      fiber.sent.delete(pid)
      note()
    }
  }

  const isStill = ({ done, parked, sent }: Held) =>
    done || parked.length > 0 || (sent.size > 0 && [...sent].every((pid) => waiting.has(pid)))

  /** Resolves when each fiber is held, waits for a lock, or is done. */
  async function settle(): Promise<void> {
    waiting = new Set()
    while (![...fibers].every(isStill)) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, suspiciousMs, 'late')
      })
      const first = await Promise.race([changed.promise, late])
      clearTimeout(timer)
      const pids = [...fibers].flatMap(({ sent }) => [...sent])
      if (first === 'late' && pids.length > 0) waiting = new Set(await blocked(pids))
    }
  }

  /** Starts a fiber, and lets it come to its first statement. One that is `free` runs to its end. */
  async function start(label: string, work: () => Promise<unknown>, free = false): Promise<Fiber> {
    const fiber: Held = {
      ...{ label, free, killed: false, done: false, parked: [], sent: new Set() },
      finished: Promise.resolve(),
    }
    fibers.add(fiber)
    fiber.finished = current.run(fiber, work).then(
      () => end(fiber),
      () => end(fiber),
    )
    await settle()
    return fiber
  }

  function end(fiber: Held): void {
    fiber.done = true
    fibers.delete(fiber)
    note()
  }

  async function release(fiber: Held, fate: Fate): Promise<void> {
    fiber.parked.shift()?.(fate)
    await settle()
  }

  return {
    start,
    /** The fibers that are held. */
    held: (): Fiber[] => [...fibers].filter(({ parked }) => parked.length > 0),
    /** Lets a fiber send this many statements, or as many as come before it is done or waits for a lock. */
    async proceed(fiber: Fiber, count: number): Promise<void> {
      const held = fiber as Held
      for (let n = 0; n < count && held.parked.length > 0; n++) await release(held, 'go')
    },
    /** Kills the process of a fiber, before its next statement or right after it. */
    kill: (fiber: Fiber, moment: 'before' | 'after') =>
      release(fiber as Held, moment === 'before' ? 'die' : 'die after'),
    /** Holds the running fiber here, as a statement would. */
    async pause(): Promise<void> {
      const fiber = current.getStore()
      if (!fiber || fiber.free) return
      const fate = fiber.killed ? 'die' : await park(fiber)
      if (fate !== 'go') fiber.killed = true
      if (fiber.killed) throw new KilledError('killed')
    },
    /** Lets all fibers go on to their ends, a statement of each in turn. */
    async finish(): Promise<void> {
      while (fibers.size > 0) {
        const held = [...fibers].filter(({ parked }) => parked.length > 0)
        for (const fiber of held) await release(fiber, 'go')
        if (held.length === 0) await settle()
      }
    },
    /** Kills all fibers. */
    async abandon(): Promise<void> {
      while (fibers.size > 0) {
        for (const fiber of [...fibers]) if (fiber.parked.length > 0) await release(fiber, 'die')
        await settle()
      }
    },
  }
}
