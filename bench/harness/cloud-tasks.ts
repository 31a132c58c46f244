import { createServer } from 'node:http'

// In place of Google's Cloud Tasks: accepts every task, and delivers none. It runs in a process of its own, whose CPU time
// counts for no contestant.

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk) => chunks.push(chunk))
  incoming.on('end', () => {
    const { task } = JSON.parse(Buffer.concat(chunks).toString())
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ name: task.name }))
  })
})

server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' ? address?.port : undefined)
})
process.on('disconnect', () => process.exit())
