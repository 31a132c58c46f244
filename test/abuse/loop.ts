import { threadTime } from './thread-time.ts'

// Loaded before a service (`node --import`): tells its parent process, by messages, what its requests cost. Between
// `begin` and `end` it looks at each turn of the event loop: how much CPU time the loop's thread took for it. That is
// what a turn holds the loop for on a machine that does nothing else; nobody else's work is in it, and no timer's resolution.

/** What a turn that finds nothing to do takes at most. */
const idleMs = 0.05

let watching = false
let [longest, sum, last] = [0, 0, 0]

function turn(): void {
  const now = threadTime()
  longest = Math.max(longest, now - last)
  if (now - last > idleMs) sum += now - last
  last = now
  if (watching) setImmediate(turn) // the loop does not wait then
}

process.on('message', (message) => {
  if (message === 'begin') {
    watching = true
    ;[longest, sum, last] = [0, 0, threadTime()]
    setImmediate(turn)
    process.send?.('begun')
  } else {
    watching = false
    turn()
    process.send?.({ longestMs: longest, sumMs: sum })
  }
})
process.channel?.unref()
