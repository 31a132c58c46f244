import { cancelBatch } from '#src/runtime/tasks/batches.ts'
import { cancelTask } from '#src/runtime/tasks/cancel.ts'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { enqueueMany } from '#src/runtime/tasks/enqueue-many.ts'
import { sendSignal } from '#src/runtime/tasks/send-signal.ts'
import { type ClaimedRow, leaseMs, renewLease } from '#src/runtime/tasks/transitions.ts'
import type { Action } from './actions.ts'
import type { HeldDelivery } from './cloud.ts'
import { currentFiber, type Fiber } from './interleave.ts'
import { checkEnd, checkNow } from './invariants.ts'
import { type ModelTask, newTask, type SentSignal } from './model.ts'
import type { World } from './world.ts'

/** How many fibers are held at once. */
const maxHeld = 12
const unfinished = `select distinct state from runtime.tasks where state not in ('done', 'dead', 'cancelled')`

type Doing<Name extends Action['do']> = Extract<Action, { do: Name }>

/** Plays a story, and looks after each action at what is committed. Then all comes to its end. @throws {Error} what is wrong */
export async function play(
  world: World,
  { calm, work, actions }: { calm: boolean; work: readonly Action[]; actions: readonly Action[] },
): Promise<void> {
  await world.clear()
  const player = createPlayer(world, calm)
  for (const action of [...work, ...actions]) {
    await player.act(action)
    await checkNow(world)
  }
  await player.drain()
  await checkEnd(world)
}

function createPlayer(world: World, calm: boolean) {
  const { lanes, cloud, known, batches, tasks } = world
  const callbacks = new Map<Fiber, HeldDelivery>()
  let signalCount = 0

  const choose = <Item>(items: readonly Item[], which: number): Item | undefined =>
    items[which % items.length]
  const isAlive = () => !currentFiber()?.killed
  const register = (task: ModelTask) => known.set(task.id, task)

  /** An attempt of a task may come to nothing. */
  function cutOff(id = ''): void {
    const task = known.get(id)
    if (task) Object.assign(task, { unsure: true, losses: task.losses + 1 })
  }

  /** Starts a fiber, and lets it send some statements. */
  async function run(label: string, count: number, work: () => Promise<unknown>): Promise<Fiber> {
    const fiber = await lanes.start(label, work)
    await lanes.proceed(fiber, count)
    return fiber
  }

  async function callBack(delivery: HeldDelivery, count: number): Promise<void> {
    if (!known.has(delivery.task))
      register(newTask({ id: delivery.task, kind: 'final', key: '', batch: undefined, ends: [] }))
    const task = known.get(delivery.task) as ModelTask
    const isBeside = [...callbacks].some(([fiber, other]) => !fiber.done && other.task === task.id)
    if (isBeside) cutOff(task.id)
    task.called = true
    const fiber = await lanes.start('callback', async () => {
      const status = await world.callback(delivery)
      if (isAlive() && status === 200) cloud.remove(delivery)
    })
    callbacks.set(fiber, delivery)
    await lanes.proceed(fiber, count)
  }

  const idle = () => {
    const held = new Set([...callbacks].filter(([fiber]) => !fiber.done).map(([, delivery]) => delivery))
    return cloud.due(world.now()).filter((delivery) => !held.has(delivery))
  }

  const doing: { [Name in Action['do']]: (action: Doing<Name>) => Promise<unknown> | unknown } = {
    enqueue: ({ kind, key, ends, go }) =>
      run('enqueue', go, async () => {
        let task: ModelTask | undefined
        const heard = await world.request(async (tx) => {
          const { id } = await enqueue(tx, tasks[kind], { key })
          task = newTask({ id, kind, key, batch: undefined, ends })
          register(task)
        })
        if (heard && isAlive() && task) task.isThere = true
      }),
    batch: ({ kind, key, ends, size, go }) =>
      run('batch', go, async () => {
        const payloads = Array.from({ length: size }, () => ({ key }))
        await world.request(async (tx) => {
          const { id, taskIds } = await enqueueMany(tx, tasks[kind], payloads, { finally: [tasks.final, {}] })
          batches.push(id)
          for (const [n, child] of taskIds.entries())
            register(newTask({ id: child, kind, key, batch: id, ends: n === 0 ? ends : [] }))
        })
      }),
    async deliver({ which, go }) {
      const delivery = choose(idle(), which)
      if (delivery) await callBack(delivery, go)
    },
    async burst({ count, go }) {
      for (const delivery of idle().slice(0, count)) await callBack(delivery, go)
    },
    async again({ which, go }) {
      const delivery = choose(cloud.all(world.now()), which)
      if (delivery) await callBack(delivery, go)
    },
    signal: ({ key, go }) =>
      run('signal', go, async () => {
        const sent: SentSignal = { key, n: ++signalCount }
        world.signals.push(sent)
        const heard = await world.request(async (tx) => {
          sent.accepted = (await sendSignal(tx, tasks.steps, 'go', { key }, { n: sent.n })).accepted
        })
        if (heard && isAlive()) sent.heardAt = world.now()
      }),
    async cancel({ which, started, go }) {
      const task = choose(
        [...known.values()].filter(({ kind }) => kind !== 'final'),
        which,
      )
      if (!task) return
      task.mayBeCancelled = true
      await run('cancel', go, () => world.request((tx) => cancelTask(tx, task.id, { started })))
    },
    async cancelBatch({ which, go }) {
      const id = choose(batches, which)
      if (!id) return
      for (const task of known.values()) if (task.batch === id) task.mayBeCancelled = true
      await run('cancelBatch', go, () => world.request((tx) => cancelBatch(tx, id)))
    },
    async redrive({ which, go }) {
      const task = choose(
        [...known.values()].filter(({ last }) => last === 'dead'),
        which,
      )
      if (!task) return
      Object.assign(task, { mayBeRedriven: true, next: 1 })
      const { done } = await run('redrive', go, () => world.redrive(task.id))
      if (!done) task.unsure = true // it may come after another redrive, and after another death
    },
    tick: ({ go }) => run('tick', go, () => world.tick()),
    async clock({ seconds }) {
      if (calm && lanes.held().length > 0) return
      for (const [fiber, { task }] of callbacks) if (!fiber.done) cutOff(task) // its lease may end
      await world.advance(seconds)
    },
    async proceed({ which, go }) {
      const fiber = choose(lanes.held(), which)
      if (fiber) await lanes.proceed(fiber, Math.max(1, go))
    },
    async renew({ which }) {
      const running = choose(world.runs.filter(world.isRunning), which)
      if (!running) return
      const until = world.now() + leaseMs
      const row = { id: running.task.id, lease: running.lease } as ClaimedRow
      const renew = async () => {
        if (await renewLease(world.database, row)) running.leasedUntil = until
      }
      await lanes.start('renew', renew, true)
    },
    async kill({ which, moment }) {
      const fiber = choose(lanes.held(), which)
      if (calm || !fiber) return
      cutOff(callbacks.get(fiber)?.task)
      await lanes.kill(fiber, moment)
    },
    lose({ which }) {
      const delivery = choose(cloud.due(world.now()), which)
      if (!calm && delivery) cloud.remove(delivery)
    },
  }

  /** Delivers what is due, each until it is acknowledged or refused: Cloud Tasks sends one that is refused later. */
  async function deliverAll(): Promise<void> {
    const sent = new Set<HeldDelivery>()
    const due = () => idle().filter((delivery) => !sent.has(delivery))
    for (let now = due(); now.length > 0; now = due())
      for (const delivery of now) {
        sent.add(delivery)
        await callBack(delivery, Number.POSITIVE_INFINITY)
      }
  }

  return {
    async act(action: Action): Promise<void> {
      if (lanes.held().length >= maxHeld) await lanes.finish()
      await doing[action.do](action as never)
    },
    /** Lets all come to its end: what is held goes on, what is due is delivered, and the tick comes each minute. */
    async drain(): Promise<void> {
      await lanes.finish()
      await deliverAll()
      const { tasks } = await checkNow(world)
      const forgotten = tasks.filter(({ state }) => state === 'pending')
      if (calm && forgotten.length > 0)
        throw new Error(`Nobody has woken or sent ${JSON.stringify(forgotten)}`)
      for (let minute = 0; minute < 40; minute++) {
        const open = await world.query(unfinished)
        if (open.length === 0) return
        await world.advance(minute < 6 ? 61 : 660)
        const needsTick = minute > 2 || open.some(({ state }) => state !== 'queued')
        if (needsTick) await run('tick', Number.POSITIVE_INFINITY, () => world.tick())
        await deliverAll()
      }
    },
  }
}
