import { monitorEventLoopDelay } from 'node:perf_hooks'

// Loaded before a service (`node --import`): tells whoever started it, by a message, what its event loop and its memory
// have come to since it was last asked.

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()

process.on('message', () => {
  process.send?.({
    longestMs: Math.max(0, delay.max / 1e6 - 1),
    rss: process.memoryUsage.rss(),
    peakRss: process.resourceUsage().maxRSS * 1024,
  })
  delay.reset()
})
process.channel?.unref()
