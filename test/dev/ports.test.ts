import { expect, test } from 'vitest'
import { assertPortIsFree, freePort } from '#dev/machine/ports.ts'

test.each(['abc', '70000', '-1', '0'])('PORT=%s is refused as it was given', async (port) => {
  await expect(assertPortIsFree(port)).rejects.toThrow(`PORT=${port} cannot be used: `)
})

// 6000 is X11, 6665 to 6669 are IRC, and 10080 lies among the ports of programs
test.each([
  [6000, 6001],
  [6665, 6670],
  [10_080, 10_081],
])('PORT=%s is refused, because no browser calls it', async (port, next) => {
  const refused = await assertPortIsFree(port).catch(({ message }) => message)
  expect(refused).toMatch(`PORT=${port} cannot be used. Browsers and fetch send no requests to it`)
  expect(Number(/PORT=(\d+) npm run dev/.exec(refused)?.[1])).toBeGreaterThanOrEqual(next)
})

test('a port that is drawn is one that fetch calls', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort))
  expect(Math.min(...ports)).toBeGreaterThan(10_080)
})
