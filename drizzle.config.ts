import { globSync } from 'node:fs'
import { defineConfig } from 'drizzle-kit'

// For `npm run migration`: the features' tables. The runtime's have a configuration and a journal of their own.

const tables = globSync('src/**/{table,*-table}.ts', { exclude: ['src/runtime/**'] })

export default defineConfig({
  dialect: 'postgresql',
  // drizzle-kit does not run without a file: if no feature has a table, it reads one that declares none
  schema: tables.length > 0 ? tables : ['src/runtime/database/now.ts'],
  out: './migrations/features',
})
