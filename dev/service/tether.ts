/**
 * Preloaded into the processes that `npm run dev` starts. It ends them when `npm run dev` ends, even by SIGKILL, which
 * closes the channel between the two. Without such a channel it does nothing.
 */
if (process.channel) {
  process.on('disconnect', () => process.exit(1))
  process.channel.unref()
}
