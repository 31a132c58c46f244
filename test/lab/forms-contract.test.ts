import { expect, test } from 'vitest'
import { expectJson } from '#test/kit'
import { sharedLab } from './lab.ts'

const lab = sharedLab()

test('the contract shows lists by repeated names, and files by their types', async () => {
  const contract = await expectJson<{ paths: Record<string, Record<string, object>> }>(
    await lab.api('/openapi.json'),
  )
  const tag = {
    name: 'tag',
    in: 'query',
    required: false,
    schema: { type: 'array', items: { type: 'string' } },
  }
  const { get } = contract.paths['/search'] as { get: { parameters: object[] } }
  expect(get.parameters).toContainEqual(
    expect.objectContaining({ name: tag.name, in: tag.in, required: tag.required }),
  )
  expect(get.parameters[0]).not.toHaveProperty('style') // OpenAPI's default for a query: form, exploded
  expect(contract.paths['/profiles']?.post).toMatchObject({
    requestBody: {
      content: {
        'multipart/form-data': {
          encoding: { photo: { contentType: 'image/png, image/jpeg' }, pages: { contentType: 'text/plain' } },
          schema: {
            properties: {
              photo: { type: 'string', format: 'binary', maxLength: 1_000, description: 'Of the face' },
              letter: { type: 'string', format: 'binary' },
              pages: { type: 'array', items: { type: 'string', contentMediaType: 'text/plain' } },
            },
          },
        },
      },
    },
  })
})
