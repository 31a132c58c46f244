import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Image, Running } from '#dev/rehearsal/project/image.ts'
import { startGroup } from '#dev/rehearsal/shell/group.ts'
import { path } from '#dev/rehearsal/shell/programs.ts'
import { atEnd } from './at-end.ts'

/**
 * An image for tests that are about the scripts of deploy/, not about the service. Its service runs in this process,
 * responds to every request, and says at /version which revision it is. It has no migrations to apply. All that it runs
 * ends with the test, or with the file if the image was created outside a test.
 *
 * @param options.doesStart whether the service starts
 */
export function lightImage({ doesStart = true } = {}): Image {
  const services: Running[] = []
  atEnd(() => Promise.all(services.map((service) => service.stop())))
  return {
    start({ PORT = '', K_REVISION: revision }, line) {
      if (line?.join(' ') === 'node dist/migrate.js') return ended(0, '')
      if (line) return startGroup(line, { cwd: process.cwd(), env: { PATH: path, PORT } })
      if (!doesStart) return ended(1, 'This image does not start')
      const service = serve(Number(PORT), { revision })
      services.push(service)
      return service
    },
  }
}

function ended(status: number, output: string): Running {
  return { output, exit: Promise.resolve(status), stop: async () => {} }
}

function serve(port: number, version: object): Running {
  const server = createServer((_request, response) => response.end(JSON.stringify(version)))
  const exit = once(server.listen(port, '127.0.0.1'), 'close').then(
    () => 0,
    () => 1,
  )
  async function stop(): Promise<void> {
    server.closeAllConnections()
    if (server.listening) await server[Symbol.asyncDispose]()
  }
  return { output: '', exit, stop }
}
