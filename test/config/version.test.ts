import { expect, test } from 'vitest'
import { expectJson } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { testService } from '#test/support/service.ts'
import metadata from '../../package.json' with { type: 'json' }

test('/version says which build is running, from package.json unless the environment tells', async () => {
  expect(await versionIn({})).toEqual({
    ...{ service: metadata.name, revision: 'unknown', version: metadata.version },
    ...{ commit: 'unknown', environment: 'development' },
  })
})

test('on Cloud Run it is what Cloud Run and the build say', async () => {
  const environment = {
    ...{ K_SERVICE: 'shop', K_REVISION: 'shop-00042-abc', VERSION: '1.4.0', COMMIT: '4b825dc6' },
    ENVIRONMENT: 'live',
  }
  expect(await versionIn(environment)).toEqual({
    ...{ service: 'shop', revision: 'shop-00042-abc', version: '1.4.0', commit: '4b825dc6' },
    environment: 'live',
  })
})

async function versionIn(environment: Record<string, string>) {
  const { api, as } = await testService({ databaseUrl: noDatabase, features: [], environment })
  const version = await expectJson(await api('/version'))
  expect(await expectJson(await (await as('alice'))('/auth/version'))).toEqual(version)
  return version
}
