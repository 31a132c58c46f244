import { readdir, rename, rm, rmdir } from 'node:fs/promises'

/**
 * Creates the data folder if there is none, all or nothing: in `<folder>.new`, which is renamed when it is complete. It
 * removes what a killed run has left there.
 *
 * @param initialise fills a folder that does not exist yet
 * @throws if `folder` holds something other than PostgreSQL's data
 */
export async function prepareFolder(
  folder: string,
  initialise: (folder: string) => Promise<void>,
): Promise<void> {
  const unfinished = `${folder}.new`
  await rm(unfinished, { recursive: true, force: true })
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (names?.includes('PG_VERSION')) return
  if (names?.length)
    throw new Error(`${folder} holds something other than PostgreSQL data. Move it away or delete it.`)
  await initialise(unfinished)
  if (names) await rmdir(folder)
  await rename(unfinished, folder)
}
