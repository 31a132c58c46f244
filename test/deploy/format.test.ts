import { expect, test } from 'vitest'
import { render } from '#dev/rehearsal/google/format.ts'

const versions = [1, 3, 2].map((id) => ({
  name: `projects/1/secrets/s/versions/${id}`,
  state: id === 3 ? 'DISABLED' : 'ENABLED',
  createTime: `2026-01-0${id}`,
}))

test('what is listed is filtered, sorted and cut before it is printed', () => {
  const flags = {
    filter: 'state=ENABLED',
    'sort-by': '~createTime',
    limit: '1',
    format: 'value(name.basename())',
  }
  expect(render(versions, flags)).toBe('2\n')
  expect(render(versions, { 'sort-by': 'createTime', format: 'value(name.basename(),state)' })).toBe(
    '1\tENABLED\n2\tENABLED\n3\tDISABLED\n',
  )
})

test('a flattened list is a row an element, or one of nothing', () => {
  const format = 'csv[no-heading](status.traffic.revisionName,status.traffic.tag)'
  const flags = { flatten: 'status.traffic[]', format }
  const traffic = [{ revisionName: 'a', tag: 't' }, { revisionName: 'b' }]
  expect(render([{ status: { traffic } }], flags)).toBe('a,t\nb,\n')
  expect(render([{ status: {} }], flags)).toBe(',\n')
})

test('other forms are refused by name', () => {
  expect(() => render(versions, { format: 'table(name)' })).toThrow('--format=table(name) is not imitated')
  expect(() => render(versions, { format: 'value(name.upper())' })).toThrow('name.upper()')
  expect(() => render(versions, { filter: 'state:ENABLED' })).toThrow('--filter=state:ENABLED')
})
