import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'

// node --import: leads what is for cloudtasks.googleapis.com to the port in TEST_CLOUD_TASKS_PORT, where the name is still
// that of the certificate, and reads how much later it is from the file in TEST_CLOCK.

const { TEST_CLOCK = '', TEST_CLOUD_TASKS_PORT } = process.env

const connect = Socket.prototype.connect
Socket.prototype.connect = function connectTo(this: Socket, ...args: unknown[]) {
  const [first] = Array.isArray(args[0]) ? args[0] : args
  if (first?.host === 'cloudtasks.googleapis.com' && Number(first.port) === 443)
    Object.assign(first, { host: '127.0.0.1', port: TEST_CLOUD_TASKS_PORT })
  return Reflect.apply(connect, this, args)
} as typeof connect

const now = Date.now
Date.now = () => now() + Number(readFileSync(TEST_CLOCK, 'utf8'))
