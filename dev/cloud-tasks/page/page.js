// Shows the state of the emulator, asks for it every second while the page is seen, and changes it by its HTTP API.

const pollMs = 1000
const find = (selector) => document.querySelector(selector)
const shown = new Map()

/** Creates an element with children: elements and texts. */
function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}

/** Shows an item of a list for each value, and leaves those that did not change: the focus stays where it is. */
function list(id, values, keyOf, create, nothing) {
  const parent = find(id)
  const wanted = values.map((value) => {
    const key = `${id} ${keyOf(value)}`
    const text = JSON.stringify(value)
    if (shown.get(key)?.text !== text) shown.set(key, { text, item: make('li', {}, create(value)) })
    return shown.get(key).item
  })
  if (wanted.length === 0) wanted.push(make('li', { className: 'faint' }, nothing))
  if (wanted.length === parent.children.length && wanted.every((item, at) => item === parent.children[at]))
    return
  parent.replaceChildren(...wanted)
}

async function ask(path, body) {
  const response = await fetch(path, { method: 'POST', body: JSON.stringify(body ?? {}) })
  const result = await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(result.error?.message ?? result.error)
}

/** A button that asks for something, says what came of it, and shows the new state. */
function button(label, description, action) {
  const created = make('button', { type: 'button', ariaLabel: description }, label)
  created.addEventListener('click', () => act(description, action))
  return created
}

async function act(description, action) {
  try {
    await action()
    find('#said').textContent = `Done: ${description}.`
  } catch (error) {
    find('#said').textContent = `${description}: ${error.message}`
  }
  await refresh()
}

const idOf = (name) => name.slice(name.lastIndexOf('/') + 1)
const timeOf = (at) => new Date(at).toLocaleTimeString()

function queueRow({ name, state, count }) {
  const paused = state === 'PAUSED'
  const verb = paused ? 'Resume' : 'Pause'
  return make(
    'div',
    { className: 'row' },
    make('span', { className: 'grow' }, name),
    make('span', {}, `${count} ${count === 1 ? 'task' : 'tasks'}`),
    make('span', { className: paused ? 'bad' : 'good' }, paused ? 'paused' : 'running'),
    button(verb, `${verb} ${idOf(name)}`, () => ask(`v2/${name}:${verb.toLowerCase()}`)),
  )
}

function taskRow({ queue, task, url, body, scheduleTime, attempts }) {
  const path = new URL(url).pathname
  return make(
    'div',
    {},
    make(
      'div',
      { className: 'row' },
      make('span', { className: 'grow' }, path),
      make('span', {}, `due ${timeOf(scheduleTime)}`),
      make('span', {}, `${attempts} deliveries`),
      button('Deliver now', `Deliver now: ${path}`, () => ask(`v2/${queue}/tasks/${task}:run`)),
    ),
    make('pre', {}, body || 'No body'),
  )
}

function attemptRow(made) {
  const { method, url, status, outcome, attempt, at, durationMs, headers, body, response, problem, twice } =
    made
  const good = status >= 200 && status < 300
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return make(
    'details',
    {},
    make(
      'summary',
      {},
      make('span', {}, timeOf(at)),
      make('span', { className: 'grow' }, `${method} ${new URL(url).pathname}`),
      make('span', {}, `delivery ${attempt}`),
      make(
        'span',
        { className: good ? 'good' : 'bad' },
        problem ?? (twice ? `${status} twice` : `${status}`),
      ),
      make('span', {}, `${durationMs} ms`),
      make('span', {}, outcome),
    ),
    make('h3', {}, 'Headers'),
    make('pre', {}, lines.join('\n')),
    make('h3', {}, 'Body'),
    make('pre', {}, body || 'No body'),
    make('h3', {}, 'Response'),
    make('pre', {}, response || 'No body'),
  )
}

async function refresh() {
  const state = await (await fetch('emulator')).json()
  find('#now').textContent = new Date(state.now).toLocaleString()
  const queues = state.queues.map(({ name, state: running }) => ({
    name,
    state: running,
    count: state.tasks.filter(({ queue }) => queue === name).length,
  }))
  list('#queues', queues, ({ name }) => name, queueRow, 'No queue')
  list('#tasks', state.tasks, ({ queue, task }) => `${queue} ${task}`, taskRow, 'No task waits')
  const keyOf = ({ queue, task, attempt, at }) => `${queue} ${task} ${attempt} ${at}`
  list('#attempts', state.attempts.toReversed(), keyOf, attemptRow, 'No delivery yet')
  for (const fault of document.querySelectorAll('[data-fault]'))
    fault.ariaPressed = String((state.faults[fault.dataset.fault]?.times ?? 0) > 0)
}

for (const fault of document.querySelectorAll('[data-fault]'))
  fault.addEventListener('click', () =>
    act(fault.textContent, async () => {
      const { faults } = await (await fetch('emulator')).json()
      const isOn = fault.ariaPressed === 'true'
      await ask('emulator/faults', { ...faults, [fault.dataset.fault]: { times: isOn ? 0 : 1 } })
    }),
  )
for (const clock of document.querySelectorAll('[data-advance]'))
  clock.addEventListener('click', () =>
    act(`The clock is ${clock.dataset.advance} ahead`, () =>
      ask('emulator/clock', { advance: clock.dataset.advance }),
    ),
  )

async function poll() {
  if (!document.hidden)
    await refresh().catch(() => {
      find('#said').textContent = 'The emulator does not respond. Is npm run dev running?'
    })
  setTimeout(poll, pollMs)
}
void poll()
