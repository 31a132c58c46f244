import { expect, test } from 'vitest'
import { assertPortIsFree } from '#dev/machine/ports.ts'

test.each(['abc', '70000', '-1'])('PORT=%s is refused as it was given', async (port) => {
  await expect(assertPortIsFree(port)).rejects.toThrow(`PORT=${port} cannot be used: `)
})
