import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { atEnd } from './at-end.ts'
import { type Scripts, scripts } from './scripts.ts'

/**
 * The scripts of deploy/, and a live service with these revisions, whose /version names the first that has traffic.
 *
 * @param state.traffic lines REVISION,PERCENT,TAG,URL; without them nothing was ever deployed
 * @param state.revisions lines REVISION,READY,CREATED, the newest first
 * @param state.mute a revision that never answers
 */
export async function pretendService(state: {
  traffic?: string[]
  revisions?: string[]
  mute?: string
}): Promise<Scripts & { url: string }> {
  const project = await scripts('test/deploy/fixtures/service.sh')
  const file = (name: string) => join(project.google, name)
  const server = createServer((_, res) => {
    const serving = readFileSync(file('traffic'), 'utf8').split(/[,\n]/)[0]
    res.end(JSON.stringify({ version: '1', revision: serving === state.mute ? 'another' : serving }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const lines = (all: string[] = []) => all.map((line) => `${line}\n`).join('')
  await writeFile(file('url'), url)
  await writeFile(file('revisions'), lines(state.revisions))
  if (state.traffic) await writeFile(file('traffic'), lines(state.traffic))
  return { ...project, url }
}
