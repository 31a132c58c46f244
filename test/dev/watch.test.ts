import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchFolders } from '#dev/service/watch.ts'

let project: string
let end: () => void
let changed: string[]

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'watch-'))
  await mkdir(join(project, 'src/orders'), { recursive: true })
  await writeFile(join(project, 'src/app.ts'), '1')
  await writeFile(join(project, 'src/orders/orders.ts'), '1')
  changed = []
  end = watchFolders(
    ['src', 'migrations', '.env'].map((root) => join(project, root)),
    (files) => changed.push(...files),
  )
})

afterEach(async () => {
  end()
  await rm(project, { recursive: true })
})

/** Does something, and expects that these files and no others are told of. */
async function expectChange(work: () => Promise<unknown>, ...files: string[]): Promise<void> {
  changed = []
  await work()
  const paths = files.map((file) => join(project, file)).sort()
  await vi.waitFor(() => expect([...new Set(changed)].sort()).toEqual(paths))
}

test('a file that is written, added, replaced several times, or removed is reported', async () => {
  const file = join(project, 'src/orders/orders.ts')
  await expectChange(() => writeFile(file, '2'), 'src/orders/orders.ts')
  for (const round of ['3', '4', '5']) {
    await writeFile(join(project, 'beside'), round)
    await expectChange(() => rename(join(project, 'beside'), file), 'src/orders/orders.ts')
  }
  await expectChange(() => writeFile(join(project, 'src/new.ts'), '1'), 'src/new.ts')
  await expectChange(() => rm(file), 'src/orders/orders.ts')
})

test('a file that is named may appear, change and go', async () => {
  const file = join(project, '.env')
  await expectChange(() => writeFile(file, '1'), '.env')
  await expectChange(() => writeFile(file, '22'), '.env')
  await expectChange(() => rm(file), '.env')
})

test('a folder may appear, with what is in it, be removed, and be replaced by another', async () => {
  await expectChange(
    () => cp(join(project, 'src/orders'), join(project, 'src/notes'), { recursive: true }),
    'src/notes/orders.ts',
  )
  await expectChange(() => writeFile(join(project, 'src/notes/orders.ts'), '22'), 'src/notes/orders.ts')
  await expectChange(() => rm(join(project, 'src/notes'), { recursive: true }), 'src/notes/orders.ts')
  await mkdir(join(project, 'other/orders'), { recursive: true })
  await writeFile(join(project, 'other/orders/other.ts'), '1')
  await rename(join(project, 'src'), join(project, 'away'))
  const put = () => rename(join(project, 'other'), join(project, 'src'))
  await expectChange(put, 'src/app.ts', 'src/orders/orders.ts', 'src/orders/other.ts')
  await expectChange(() => writeFile(join(project, 'src/orders/other.ts'), '22'), 'src/orders/other.ts')
  await mkdir(join(project, 'migrations'))
  await expectChange(() => writeFile(join(project, 'migrations/1.sql'), ''), 'migrations/1.sql')
})

test('files that an editor creates for itself are not reported', async () => {
  for (const name of ['.app.ts.swp', 'app.ts~', '4913']) await writeFile(join(project, 'src', name), 'x')
  await expectChange(() => writeFile(join(project, 'src/app.ts'), '22'), 'src/app.ts')
})
