import { expect, test } from 'vitest'
import { reachLocalDirectly } from '#dev/machine/proxy.ts'

const local = 'localhost,127.0.0.1,::1'

test.each([
  ['no proxy', {}, {}],
  ['a proxy', { HTTPS_PROXY: 'http://proxy' }, { NO_PROXY: local, no_proxy: local }],
  [
    'a proxy, and what needs none',
    { http_proxy: 'http://proxy', NO_PROXY: '.corp' },
    { NO_PROXY: `.corp,${local}`, no_proxy: `.corp,${local}` },
  ],
  [
    'both spellings, of which the lower case counts',
    { all_proxy: 'http://proxy', NO_PROXY: 'upper', no_proxy: 'lower' },
    { NO_PROXY: `lower,${local}`, no_proxy: `lower,${local}` },
  ],
])('what is local is reached directly: %s', (_what, given, added) => {
  const environment: NodeJS.ProcessEnv = { ...given }
  reachLocalDirectly(environment)
  expect(environment).toEqual({ ...given, ...added })
})
