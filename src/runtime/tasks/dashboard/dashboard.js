import { call, mayCall, once, tokenName } from './call.js'
import { byId, setText } from './dom.js'
import { showOverview } from './show.js'
import { showBatches } from './show-batches.js'
import { openTasks, showTasks } from './show-tasks.js'

const everyMs = 3_000

const filter = Object.fromEntries(new URLSearchParams(location.search))
const { batch = '', name = '', state = batch ? '' : 'dead' } = filter
const list = { batch, state, name, cursor: undefined, next: undefined }
const batches = { cursor: undefined, next: undefined }
let paused = false
let timer
let turns = 0

// In development the service offers a token.
const { token: offered } = document.body.dataset
if (offered) {
  const { sub } = JSON.parse(atob(offered.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  setText(byId('offer'), `Continue as ${sub}`)
  byId('offer').hidden = false
}

/** Reads and shows everything once. Then it waits, unless the page is paused or hidden. */
async function refresh() {
  clearTimeout(timer)
  const turn = ++turns
  if (!mayCall()) return askForToken()
  try {
    const query = Object.entries({ ...list, next: undefined }).filter(([, value]) => value)
    const after = batches.cursor ? `&cursor=${batches.cursor}` : ''
    const [overview, batchPage, batch, page, ...details] = await Promise.all([
      call('tasks/overview'),
      call(`batches?limit=5${after}`),
      list.batch && call(`batches/${encodeURIComponent(list.batch)}`).catch(() => undefined), // it may be deleted
      call(`tasks?${new URLSearchParams(query)}`),
      ...openTasks().map((id) => call(`tasks/${id}`).catch(() => undefined)), // it may be gone
    ])
    if (turn !== turns) return
    showBatchPage(batchPage, batch, overview)
    show(overview, page, new Map(details.flatMap((task) => (task ? [[task.id, task]] : []))))
  } catch (error) {
    if (turn !== turns) return
    if (error.status === 401 || error.status === 403) return askForToken(error)
    setText(byId('updated'), `The service does not respond. Trying again. (${error.message})`)
  }
  if (!paused && !document.hidden) timer = setTimeout(refresh, everyMs)
}

function show(overview, page, details) {
  byId('login').hidden = true
  for (const id of ['work', 'pause']) byId(id).hidden = false
  byId('forget').hidden = sessionStorage.getItem(tokenName) === null
  showOverview(overview)
  showTasks(page, overview, details)
  list.next = page.nextCursor
  byId('state').value = list.state
  byId('name').value = list.name
  byId('older').hidden = !list.next
  byId('newest').hidden = !list.cursor
  byId('redrive-all').hidden = !(list.state === 'dead' && list.name && !list.batch && page.items.length > 0)
  setText(byId('updated'), `Updated ${new Date().toLocaleTimeString()}${paused ? ', paused' : ''}`)
}

/** @param batch the one whose tasks are listed, if there is one */
function showBatchPage({ items, nextCursor }, batch, { now }) {
  showBatches(byId('batches'), items, now)
  showBatches(byId('batch'), batch ? [batch] : [], now)
  batches.next = nextCursor
  byId('no-batches').hidden = items.length > 0
  byId('older-batches').hidden = !nextCursor
  byId('newest-batches').hidden = !batches.cursor
  byId('of-batch').hidden = !list.batch
}

/** @param error why the token, or the cookie, was refused */
function askForToken(error) {
  sessionStorage.removeItem(tokenName)
  for (const id of ['work', 'pause', 'forget']) byId(id).hidden = true
  byId('login').hidden = false
  setText(byId('updated'), '')
  if (error) say(error.message, true)
  byId('token').focus()
}

function signIn(token) {
  sessionStorage.setItem(tokenName, token)
  say('')
  void refresh()
}

/** Shows a message, which a screen reader reads out. */
function say(text, bad = false) {
  byId('message').className = bad ? 'bad' : ''
  setText(byId('message'), text)
}

/** Lists other tasks. */
function listTasks(changed) {
  Object.assign(list, { cursor: undefined }, changed)
  const { batch, state, name } = list
  const query = new URLSearchParams({ ...(batch && { batch }), state, name })
  history.replaceState(null, '', `${location.pathname}?${query}`)
  return refresh()
}

/** Lists other batches. */
function turnTo(cursor) {
  batches.cursor = cursor
  return refresh()
}

/** Asks before a change. @param ask the label of a text that is needed as well, if there is one */
function confirmed(title, text, ask) {
  const dialog = byId('confirm')
  setText(byId('confirm-title'), title)
  setText(byId('confirm-text'), text)
  byId('confirm-ask').hidden = !ask
  setText(byId('confirm-label'), ask ?? '')
  byId('confirm-value').value = ''
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

/** What a button asks, what it sends, and what it says afterwards. */
const acts = {
  run: ({ id, name }) => ({
    title: `Run ${name} now?`,
    text: 'It is due at once. Its earlier delivery does nothing then.',
    path: `tasks/${id}/run`,
    done: () => `${name} is sent to run now.`,
  }),
  cancel: ({ id, name }) => ({
    title: `Cancel ${name}?`,
    text: 'It never runs again. An attempt that is running writes nothing. Undos of its steps run first; a second cancel gives them up.',
    path: `tasks/${id}/cancel`,
    done: () => `${name} is cancelled.`,
  }),
  'cancel-batch': ({ id, name }) => ({
    title: `Cancel the batch of ${name}?`,
    text: 'Its tasks that have not started never run. The others end as they do, and then its final task follows.',
    path: `batches/${id}/cancel`,
    done: ({ cancelled }) => `The batch of ${name} is cancelled: ${cancelled} of its tasks do not run.`,
  }),
  redrive: ({ id, name }) => ({
    title: `Redrive ${name}?`,
    text: 'It runs at once, and has all its attempts again.',
    path: `tasks/${id}/redrive`,
    done: () => `${name} is redriven.`,
  }),
  restart: ({ id, name }) => ({
    title: `Redrive ${name} from its start?`,
    text: 'It forgets its steps, and all of it runs again.',
    path: `tasks/${id}/redrive?from=start`,
    done: () => `${name} is redriven from its start.`,
  }),
  signal: ({ name, signal, key }) => ({
    title: `Send ${signal} to ${name}?`,
    text: `All tasks of this name that wait for it with the key ${key} go on.`,
    ask: 'Payload, as JSON',
    path: 'tasks/signals',
    headers: { 'Content-Type': 'application/json', ...once() },
    body: (text) =>
      JSON.stringify({ task: name, name: signal, key, payload: text ? JSON.parse(text) : undefined }),
    done: ({ accepted }) =>
      accepted ? `${signal} is sent.` : `An earlier ${signal} counts: nothing is sent.`,
  }),
  'redrive-all': () => ({
    title: `Redrive all dead ${list.name}?`,
    text: 'Up to 1,000 at once. Each runs at once, and has all its attempts again.',
    path: `tasks/redrive?${new URLSearchParams({ name: list.name })}`,
    done: ({ redriven, more }) => `Redriven: ${redriven}.${more ? ' There are more.' : ''}`,
  }),
  'run-schedule': ({ name, task }) => ({
    title: `Run ${name} now?`,
    text: `It enqueues ${task} once more. Its slots stay as they are.`,
    path: `schedules/${encodeURIComponent(name)}/run`,
    headers: once(),
    done: () => `${task} is enqueued.`,
  }),
}

async function act(button) {
  const { title, text, ask, path, headers, body, done } = acts[button.dataset.action](button.dataset)
  if (!(await confirmed(title, text, ask))) return
  const heading = button.closest('section')?.querySelector('h2')
  try {
    say(done(await call(path, { method: 'POST', headers, body: body?.(byId('confirm-value').value) })))
  } catch (error) {
    say(error.message, true)
  }
  await refresh()
  if (document.activeElement === document.body) heading?.focus() // its button is gone
}

document.addEventListener('click', (event) => {
  const { target } = event
  const { batch } = target.closest('a')?.dataset ?? {}
  if (batch && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault()
    void listTasks({ batch, state: '', name: '' }).then(() => byId('tasks-title').focus())
  }
  const button = target.closest('button')
  if (!button) return
  const { action, list: state, name } = button.dataset
  if (action) void act(button)
  if (state) void listTasks({ batch: '', state, name }).then(() => byId('tasks-title').focus())
})
byId('tasks').addEventListener('toggle', ({ target }) => target.open && void refresh(), true)
byId('redrive-all').dataset.action = 'redrive-all'
byId('yes').addEventListener('click', () => byId('confirm').close('yes'))
byId('no').addEventListener('click', () => byId('confirm').close('no'))
byId('older').addEventListener('click', () => listTasks({ cursor: list.next }))
byId('newest').addEventListener('click', () => listTasks({}))
byId('all-tasks').addEventListener('click', () => listTasks({ batch: '' }))
byId('older-batches').addEventListener('click', () => turnTo(batches.next))
byId('newest-batches').addEventListener('click', () => turnTo(undefined))
byId('filter').addEventListener('change', () =>
  listTasks({ state: byId('state').value, name: byId('name').value }),
)
byId('filter').addEventListener('submit', (event) => event.preventDefault())
byId('pause').addEventListener('click', () => {
  paused = !paused
  byId('pause').setAttribute('aria-pressed', String(paused))
  void refresh()
})
byId('forget').addEventListener('click', () => {
  sessionStorage.removeItem(tokenName)
  say('')
  void refresh()
})
byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault()
  signIn(byId('token').value.trim())
  byId('token').value = ''
})
byId('offer').addEventListener('click', () => signIn(offered))
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer)
  if (!document.hidden && !paused) void refresh()
})
void refresh()
