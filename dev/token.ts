import { parseArgs } from 'node:util'
import { developmentEnvironment } from './machine/settings.ts'

// `npm run token`: prints a token that the service accepts in development, and nothing else.

const usage = 'Usage: npm run -s token -- [--sub alice] [--scope "a:read a:write"] [--expires-in 90s|15m|24h]'

/** Reads the arguments. @throws {TypeError} if one is unknown or wrong, as parseArgs does */
function readArguments() {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { sub: text, scope: text, 'expires-in': text } })
  const [, count, unit] = (values['expires-in'] ?? '24h').match(/^(\d{1,9})([smhd]?)$/) ?? []
  if (!Number(count)) throw new TypeError('--expires-in must be a duration such as 90s, 15m, 24h or 7d')
  if (values.sub?.trim() === '') throw new TypeError('--sub must not be empty')
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400 }[unit || 's'] ?? 1
  return {
    expiresIn: Number(count) * seconds,
    ...(values.sub !== undefined && { subject: values.sub }),
    ...(values.scope !== undefined && { scope: values.scope }),
  }
}

try {
  const options = readArguments()
  const { developmentToken } = await import('./caller/token.ts') // loads the runtime: not for wrong arguments
  console.log(await developmentToken(developmentEnvironment(), options))
} catch (error) {
  const wrongArguments = error instanceof TypeError
  console.error(`${error instanceof Error ? error.message : error}${wrongArguments ? `\n${usage}` : ''}`)
  process.exitCode = wrongArguments ? 2 : 1
}
