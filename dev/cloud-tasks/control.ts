import { Hono } from 'hono'
import { z } from 'zod'
import type { Emulator } from './emulator.ts'
import type { FaultSettings } from './faults.ts'
import type { TickTarget } from './scheduler.ts'
import { read } from './values.ts'

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const advance = z.templateLiteral([z.int().min(0), z.enum(['s', 'm', 'h', 'd'])])

/** What the emulator has over HTTP beside Google's API: the keys of its tokens, and itself under /emulator. */
export function createControl(emulator: Emulator): Hono {
  const { issuer, keysUrl, oidc } = emulator
  return new Hono()
    .get('/.well-known/openid-configuration', (c) => c.json({ issuer, jwks_uri: keysUrl }))
    .get(new URL(keysUrl).pathname, (c) => c.json(oidc.keys))
    .get('/emulator', (c) => c.json(emulator.state()))
    .post('/emulator/faults', async (c) => {
      emulator.faults.set(await c.req.json<FaultSettings>())
      return c.json({})
    })
    .post('/emulator/clock', async (c) => {
      const { advance: by } = read(z.object({ advance }), await c.req.json())
      const unit = by.slice(-1) as keyof typeof units
      emulator.advance(Number.parseInt(by, 10) * units[unit])
      return c.json({ now: emulator.state().now })
    })
    .post('/emulator/tick', async (c) =>
      c.json({ status: await emulator.tick(await c.req.json<TickTarget>()) }),
    )
}
