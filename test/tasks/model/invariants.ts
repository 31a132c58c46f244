import { allowedStates, concurrency, type Kind, type ModelTask, newTask } from './model.ts'
import { type BatchSeen, type Snapshot, type TaskSeen, takeSnapshot } from './snapshot.ts'
import type { World } from './world.ts'

const isOver = ({ state }: Pick<TaskSeen, 'state'>) => ['done', 'dead', 'cancelled'].includes(state)

/** What must hold whenever it is looked at. @returns what is committed @throws {Error} which of it does not hold */
export async function checkNow(world: World): Promise<Snapshot> {
  const seen = (await world.query(takeSnapshot))[0] as unknown as Snapshot
  const wrong = [
    ...world.violations,
    ...checkTasks(world, seen),
    ...checkPlaces(seen),
    ...seen.batches.flatMap((batch) => [...checkBatch(seen, batch)]),
    ...checkSignals(world, seen),
  ]
  refuse(wrong, seen)
  return seen
}

/** What must hold when all is over. @throws {Error} which of it does not */
export async function checkEnd(world: World): Promise<void> {
  const seen = await checkNow(world)
  const wrong: string[] = []
  for (const task of seen.tasks) if (!isOver(task)) wrong.push(`${task.id} is ${task.state} for ever`)
  for (const { id, final_id, done, dead, cancelled } of seen.batches) {
    const expected = [`${done} ${dead} ${cancelled}`]
    const told = seen.effects.filter(({ task }) => task === final_id).map(({ what }) => what)
    if (told.join() !== expected.join()) wrong.push(`the final task of ${id} wrote ${told}, not ${expected}`)
  }
  for (const { task, what } of seen.effects) {
    if (!what.startsWith('two ')) continue
    const { key } = world.known.get(task) as ModelTask
    const came = seen.signals.find((signal) => signal.key === key)?.payload?.n
    const until = Date.parse(seen.waits.find(({ task_id }) => task_id === task)?.until ?? '')
    const heardAt = world.signals.find(({ n }) => n === came)?.heardAt
    if (what !== 'two late' && what !== `two ${came}`) wrong.push(`${task} got ${what}, but ${came} came`)
    if (what === 'two late' && heardAt !== undefined && heardAt < until)
      wrong.push(`${task} waited in vain until ${until}, but ${came} came at ${heardAt}`)
  }
  refuse(wrong, seen)
}

function refuse(wrong: readonly string[], seen: Snapshot): void {
  if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\n${JSON.stringify(seen, null, 1)}`)
}

function* checkTasks({ known }: World, { tasks, effects }: Snapshot): Generator<string> {
  const there = new Set<string>()
  for (const row of tasks) {
    there.add(row.id)
    if (row.name === 'model.final' && !known.has(row.id))
      known.set(row.id, newTask({ id: row.id, kind: 'final', key: '', batch: undefined, ends: [] }))
    const task = known.get(row.id)
    if (!task) {
      yield `nobody has enqueued ${row.id}`
      continue
    }
    const may = allowedStates(task)
    if (!may.has(row.state)) yield `${task.kind} ${row.id} is ${row.state}, not ${[...may].join(' or ')}`
    const wasOver = task.last === 'done' || task.last === 'cancelled'
    if (row.dispatch < task.lastDispatch || (wasOver && row.dispatch !== task.lastDispatch))
      yield `${row.id} has dispatch ${row.dispatch} after ${task.lastDispatch}`
    Object.assign(task, { last: row.state, lastDispatch: row.dispatch, isThere: true })
    yield* checkEffects(task, row, effects)
  }
  for (const { id, isThere } of known.values()) if (isThere && !there.has(id)) yield `${id} is gone`
}

function* checkEffects(
  { kind, unsure }: ModelTask,
  { id, state }: TaskSeen,
  effects: Snapshot['effects'],
): Generator<string> {
  const of = effects.filter(({ task }) => task === id).map(({ what }) => what)
  const count = (what: string) => of.filter((one) => one.startsWith(what)).length
  const isDone = state === 'done'
  const ends = kind === 'final' ? of.length : count('end')
  if (ends !== (isDone ? 1 : 0)) yield `${kind} ${id} is ${state}, and wrote ${of}`
  if (kind !== 'steps') return
  const one = count('one') - count('undo one')
  const isUndone = isOver({ state }) && !isDone && !unsure // one whose process is killed too often undoes nothing more
  const right = one >= (isDone ? 1 : 0) && one <= (isUndone ? 0 : 1)
  if (!right || count('two') > 1 || (isDone && count('two') !== 1))
    yield `steps ${id} is ${state}, and wrote ${of}`
}

function* checkPlaces({ tasks }: Snapshot): Generator<string> {
  const running = tasks.filter(({ state, limit_slot }) => state === 'running' && (limit_slot ?? 0) > 0)
  const groups = Map.groupBy(running, ({ name, limit_key }) => `${name} ${limit_key}`)
  for (const [group, { length }] of groups) {
    const kind = group.split(/[. ]/)[1] as Kind
    if (length > (concurrency[kind] ?? 0)) yield `${length} of ${group} have a place`
  }
}

function* checkBatch({ tasks }: Snapshot, batch: BatchSeen): Generator<string> {
  const { id, size, final_id, finished_at, open, done, dead, cancelled } = batch
  const children = tasks.filter(({ batch_id }) => batch_id === id)
  const count = (state: string) => children.filter((child) => child.state === state).length
  const final = tasks.find((task) => task.id === final_id)
  const sums = [open, done, dead, cancelled].join()
  if (finished_at === null) {
    const left = children.filter((child) => !isOver(child)).length
    const real = [left, count('done'), count('dead'), count('cancelled')].join()
    if (real !== sums) yield `the batch ${id} counts ${sums}, and has ${real}`
    if (left === 0) yield `the batch ${id} is open, and none of its tasks is`
    if (final) yield `the final task of ${id} is there too early`
    return
  }
  if (open !== 0 || done + dead + cancelled !== size) yield `the batch ${id} of ${size} has ended at ${sums}`
  if (!final) yield `the final task of ${id} is missing`
  const told = final?.payload.batch
  if (told && [0, told.done, told.dead, told.cancelled].join() !== sums)
    yield `the final task of ${id} is told ${JSON.stringify(told)}, not ${sums}`
}

function* checkSignals(world: World, { tasks, signals }: Snapshot): Generator<string> {
  const accepted = world.signals.filter(({ accepted, heardAt }) => accepted && heardAt !== undefined)
  for (const { key, n } of accepted) {
    const kept = signals.find((signal) => signal.key === key)?.payload?.n
    if (kept !== n) yield `the signal ${n} of ${key} was accepted, and ${kept} is kept`
  }
  for (const { id, state, waits_key, due_at } of tasks) {
    const isWaiting = state === 'pending' || state === 'queued'
    const came = signals.some(({ key }) => key === waits_key)
    if (isWaiting && came && Date.parse(due_at) > world.now()) yield `${id} waits for a signal that has come`
  }
}
